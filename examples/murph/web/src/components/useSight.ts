import { useCallback, useEffect, type RefObject } from "react";

/** So many pixels of a message have to be on the screen. */
const enough = 24;

/**
 * Tells onLook which message of others is the lowest on the screen, by the data-seq of its element, and null when the
 * window is hidden or another one has the focus. The returned function looks again; the hook does so when the window
 * comes and goes.
 */
export function useSight(scroller: RefObject<HTMLElement | null>, onLook: (seq: number | null) => void): () => void {
  const look = useCallback(() => {
    const { current: el } = scroller;
    if (!el || document.visibilityState !== "visible" || !document.hasFocus()) {
      onLook(null);
      return;
    }
    const lower = el.getBoundingClientRect().bottom - enough;
    const seqs = [...el.querySelectorAll<HTMLElement>("[data-seq]")]
      .filter((message) => message.getBoundingClientRect().top < lower)
      .map((message) => Number(message.dataset["seq"]));
    onLook(seqs.length === 0 ? null : Math.max(...seqs));
  }, [scroller, onLook]);

  useEffect(() => {
    document.addEventListener("visibilitychange", look);
    window.addEventListener("focus", look);
    window.addEventListener("blur", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      window.removeEventListener("focus", look);
      window.removeEventListener("blur", look);
      onLook(null);
    };
  }, [look, onLook]);
  return look;
}
