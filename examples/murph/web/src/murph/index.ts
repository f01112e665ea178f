export * from "./api";
export * from "./client";
export * from "./hooks";
export * from "./log";
export * from "./session";
export * from "./shared";
export type { ChannelStatus } from "./subscription";
export * from "./types";
export * from "./useConsultation";
