import { useCallback, useEffect, useState } from "react";

/**
 * The consultation that the page's address names: null where it names none, "" where the list was asked for. Selecting
 * makes an entry in the browser's history, so that Back leads to what was seen before.
 */
export function useSelection(): [string | null, (id: string) => void] {
  const [selected, setSelected] = useState(fromAddress);
  useEffect(() => {
    const onBack = () => setSelected(fromAddress());
    window.addEventListener("popstate", onBack);
    return () => window.removeEventListener("popstate", onBack);
  }, []);
  const select = useCallback((id: string) => {
    const url = new URL(window.location.href);
    url.searchParams.set("consultation", id);
    if (url.href !== window.location.href) window.history.pushState(null, "", url);
    setSelected(id);
  }, []);
  return [selected, select];
}

function fromAddress(): string | null {
  return new URLSearchParams(window.location.search).get("consultation");
}
