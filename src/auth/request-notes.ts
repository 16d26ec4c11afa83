/** What is noted while one request passes through Better Auth, where its own return values have no room for it. */
import { AsyncLocalStorage } from "node:async_hooks";
import { NOWHERE, type Source } from "./throttling/source.ts";

export type RequestNotes = {
  /** The Cloudflare location that the request came in at. */
  place: string;
  /** The origin that the request is answered under. */
  origin: string;
  /** Who asks, as far as throttling tells callers apart. */
  source: Source;
  /** Makes the value of a device cookie, for a browser that has none of ours. */
  createDevice?: () => Promise<string>;
  /** A failure of D1 or of the password hasher, even one that Better Auth went on from without a word. */
  trouble?: Error;
  /** The hash of the password that was just verified: what follows from it is written only while it is the account's. */
  verifiedHash?: string;
  /** Verifies the same password against another hash. */
  verifyAgain?: (hash: string) => Promise<boolean>;
  /** The account that the request is about, for the log. */
  userId?: string;
  /** What came of it, for the log, where the answer is a redirect and its status does not tell. */
  outcome?: "refused" | "throttled";
  /** The value of a device cookie to hand out. */
  newDevice?: string;
};

const storage = new AsyncLocalStorage<RequestNotes>();

/**
 * Runs a request's auth work.
 * @throws the trouble, if there was any on the way
 */
export async function withRequestNotes<Result>(notes: RequestNotes, work: () => Promise<Result>): Promise<Result> {
  const result = await storage.run(notes, work);
  if (notes.trouble) throw notes.trouble;
  return result;
}

/** The notes of the request at hand; none are kept outside of one. */
export function requestNotes(): RequestNotes {
  return storage.getStore() ?? { place: "", origin: "", source: NOWHERE };
}
