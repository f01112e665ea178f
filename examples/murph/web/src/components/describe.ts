import { ApiError } from "../murph";
import { currentLanguage } from "../i18n/language";
import { texts } from "../i18n/texts";

/** Makes a sentence for the person out of an error: the server's own where it has one. */
export function describeError(err: unknown): string {
  const t = texts[currentLanguage()];
  if (!(err instanceof ApiError)) return t.failure("network");
  return err.problem.error ?? t.failure(err.code);
}
