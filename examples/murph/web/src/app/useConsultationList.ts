import { useCallback, useEffect, useRef, useState } from "react";
import type { ConsultationItem } from "../murph";
import type { DemoSession } from "./demo";

export interface Lists {
  /** null until the first answer. */
  readonly items: readonly ConsultationItem[] | null;
  readonly openRequests: readonly ConsultationItem[];
}

const every = 20_000;
const settle = 400;

/** Keeps the lists of consultations fresh: from time to time, when the page comes back, and when refresh is called. */
export function useConsultationList({ api, userId, role }: DemoSession): Lists & { readonly refresh: () => void } {
  const [lists, setLists] = useState<Lists>({ items: null, openRequests: [] });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(0);

  const load = useCallback(async () => {
    const turn = ++latest.current;
    try {
      const [mine, open] = await Promise.all([
        api.list(),
        role === "STUDENT" ? api.list({ status: "REQUESTED" }) : { consultations: [] },
      ]);
      if (turn !== latest.current) return;
      const openRequests = open.consultations.filter((c) => c.status === "REQUESTED" && c.patient.id !== userId);
      setLists({ items: mine.consultations, openRequests });
    } catch {
      // The list as it was is better than none; the next turn asks again, and the chat tells of a lost server.
    }
  }, [api, role, userId]);

  // Several messages within a moment are one reason to look.
  const refresh = useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void load();
    }, settle);
  }, [load]);

  useEffect(() => {
    const tick = () => {
      if (document.visibilityState === "visible") void load();
    };
    tick();
    const interval = setInterval(tick, every);
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(interval);
      clearTimeout(timer.current);
      timer.current = undefined;
      document.removeEventListener("visibilitychange", tick);
    };
  }, [load]);

  return { ...lists, refresh };
}
