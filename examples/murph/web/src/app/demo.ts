import { Api, ApiError } from "../murph";
import { currentLanguage } from "../i18n/language";

/** The people whom the demonstration server knows. */
export const demoUsers = [
  { id: "patient-1", role: "PATIENT" },
  { id: "student-1", role: "STUDENT" },
  { id: "student-2", role: "STUDENT" },
] as const;

/** The consultation that opens by default. */
export const demoConsultation = "demo";

export interface DemoSession {
  readonly userId: string;
  readonly role: string;
  readonly api: Api;
}

/**
 * Signs in and returns the API as this person sees it. Two windows of one browser share their cookies, so the server
 * keeps one cookie for each person, and a header says which of them a request is from. A session that has ended, as
 * after a restart of the server, is begun anew once for each refusal.
 */
export async function signIn(userId: string): Promise<DemoSession> {
  const headers = () => ({ "X-Demo-User": userId, "Accept-Language": currentLanguage() });
  const bare = new Api({ headers });
  const login = async (): Promise<Response> =>
    bare.fetch("demo/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ userId }),
    });
  const res = await login();
  if (!res.ok) throw new ApiError(res.status, {});
  const api = new Api({
    headers,
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      if (answer.status !== 401) return answer;
      return (await login()).ok ? fetch(input, init) : answer;
    },
  });
  return { userId, role: await roleOf(res, userId), api };
}

async function roleOf(res: Response, userId: string): Promise<string> {
  const known = demoUsers.find((u) => u.id === userId)?.role ?? "PATIENT";
  const body: unknown = await res.json().catch(() => null);
  const role = (body as { role?: unknown } | null)?.role;
  return typeof role === "string" ? role : known;
}
