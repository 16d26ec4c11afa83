/** The access token of the page: kept until shortly before it expires, then fetched with the session's cookie. */
const RENEW_BEFORE_MS = 30_000;

export function createTokenStore() {
  let kept: string | undefined;
  return {
    keep(token: string): void {
      kept = token;
    },
    forget(): void {
      kept = undefined;
    },
    /** Undefined without a session, or without a network: the operation then shows the API's own refusal. */
    async get(): Promise<string | undefined> {
      if (kept === undefined || expiresAt(kept) < Date.now() + RENEW_BEFORE_MS) kept = await fetchToken();
      return kept;
    },
  };
}

async function fetchToken(): Promise<string | undefined> {
  const answer = await fetch("/api/auth/token").catch(() => undefined);
  if (!answer?.ok) return undefined;
  const { token } = (await answer.json()) as { token?: string };
  return token;
}

/** When a token expires, in milliseconds; 0 if it does not say so. */
function expiresAt(token: string): number {
  const payload = token.split(".")[1] ?? "";
  try {
    const { exp } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))) as { exp?: number };
    return (exp ?? 0) * 1000;
  } catch {
    return 0;
  }
}
