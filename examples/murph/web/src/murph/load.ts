import Plain from "pusher-js";

/** The class of pusher-js's clients, in either of its two builds. */
export type PusherClass = typeof Plain;

export function isEncrypted(channelName: string): boolean {
  return channelName.startsWith("private-encrypted-");
}

let withEncryption: PusherClass | undefined;

/**
 * Returns the build of pusher-js that these channels need: the plain one throws for encrypted channels, and the other,
 * which has the cryptography in it, is fetched when the first of them is named.
 */
export function pusherFor(channelNames: Iterable<string>): PusherClass | Promise<PusherClass> {
  if (withEncryption) return withEncryption;
  if (![...channelNames].some(isEncrypted)) return Plain;
  return import("pusher-js/with-encryption").then((module) => (withEncryption = module.default));
}
