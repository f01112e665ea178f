/** Milliseconds after which an authorisation counts as lost. */
const authTimeout = 5_000;

export interface ChannelGrant {
  readonly auth: string;
  readonly channel_data?: string;
  readonly shared_secret?: string;
}

/** The endpoint did not grant the channel. A status of 0 means that there was no answer. */
export class AuthorizationError extends Error {
  constructor(readonly status: number) {
    super(status === 0 ? "the authorisation endpoint cannot be reached" : `the authorisation endpoint answered ${status}`);
    this.name = "AuthorizationError";
  }

  /** The server has decided; asking again changes nothing. */
  get final(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Asks the host's endpoint for the right to a channel: form-encoded, as all Pusher libraries do, and with credentials
 * for the own origin only, so that no other site can have it asked in the person's name and read the answer.
 */
export async function authorizeChannel(
  fetch: Fetch,
  endpoint: string,
  params: { socketId: string; channelName: string },
): Promise<ChannelGrant> {
  let res: Response;
  let body: unknown;
  try {
    res = await fetch(endpoint, {
      method: "POST",
      credentials: "same-origin",
      headers: { Accept: "application/json" },
      body: new URLSearchParams({ socket_id: params.socketId, channel_name: params.channelName }),
      signal: AbortSignal.timeout(authTimeout),
    });
    if (res.status === 200) body = await res.json();
  } catch {
    throw new AuthorizationError(0);
  }
  // The protocol knows one success, 200.
  if (res.status !== 200) throw new AuthorizationError(res.status);
  if (typeof body !== "object" || body === null || typeof (body as ChannelGrant).auth !== "string") {
    throw new AuthorizationError(500);
  }
  return body as ChannelGrant;
}
