import { useCallback, useEffect, useRef, useState } from "react";
import type { Api, ConsultationItem } from "../murph";
import type { DemoSession } from "./demo";

export interface Lists {
  /** null until the first answer. */
  readonly items: readonly ConsultationItem[] | null;
  readonly openRequests: readonly ConsultationItem[];
}

const every = 10_000;
const settle = 400;

interface Refreshable extends Lists {
  readonly refresh: () => void;
  /** Shows more of the person's consultations; absent when all are shown. */
  readonly more: (() => void) | undefined;
}

/** Keeps the lists of consultations fresh: from time to time, when the page comes back, and when refresh is called. */
export function useConsultationList({ api, userId, role }: DemoSession): Refreshable {
  const [lists, setLists] = useState<Lists & { hasMore: boolean }>({ items: null, openRequests: [], hasMore: false });
  const [pages, setPages] = useState(1);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(0);

  const load = useCallback(async () => {
    const turn = ++latest.current;
    try {
      const [mine, open] = await Promise.all([
        listPages(api, pages),
        role === "STUDENT" ? api.list({ status: "REQUESTED" }) : { consultations: [] },
      ]);
      if (turn !== latest.current) return;
      const openRequests = open.consultations.filter((c) => c.status === "REQUESTED" && c.patient.id !== userId);
      setLists({ ...mine, openRequests });
    } catch {
      // The list as it was is better than none; the next turn asks again, and the chat tells of a lost server.
    }
  }, [api, role, userId, pages]);

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

  const more = lists.hasMore ? () => setPages(pages + 1) : undefined;
  return { items: lists.items, openRequests: lists.openRequests, refresh, more };
}

/** Reads that many pages. An entry that has moved up meanwhile would be there twice: the newer one stays. */
async function listPages(api: Api, pages: number): Promise<{ items: readonly ConsultationItem[]; hasMore: boolean }> {
  const items = new Map<string, ConsultationItem>();
  let cursor: string | undefined;
  for (let page = 0; page < pages; page++) {
    const answer = await api.list(cursor === undefined ? {} : { cursor });
    for (const c of answer.consultations) if (!items.has(c.id)) items.set(c.id, c);
    cursor = answer.nextCursor;
    if (cursor === undefined) break;
  }
  return { items: [...items.values()], hasMore: cursor !== undefined };
}
