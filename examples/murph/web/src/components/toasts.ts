import { createContext, useContext } from "react";

/** Shows a sentence for some seconds. */
export type ShowToast = (sentence: string) => void;

export const ToastContext = createContext<ShowToast>(() => undefined);

export function useToast(): ShowToast {
  return useContext(ToastContext);
}
