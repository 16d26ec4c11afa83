/** Notes about one request, passed between our code before, inside and after Better Auth. */
import { AsyncLocalStorage } from "node:async_hooks";
import { NOWHERE, type Source } from "./throttling/source.ts";

export type RequestNotes = {
  /** The Cloudflare location of the request. */
  place: string;
  /** The origin of the request, and of links in mails. */
  origin: string;
  /** The caller, as throttling counts it. */
  source: Source;
  /** Creates a device cookie, for a browser without one. */
  createDevice?: () => Promise<string>;
  /** A failure of D1 or of the password hasher, also one that Better Auth ignored. */
  failure?: Error;
  /** The hash of the verified password. What depends on it is written only while it is the account's hash. */
  verifiedHash?: string;
  /** Verifies the same password against another hash. */
  verifyAgain?: (hash: string) => Promise<boolean>;
  /** The user of the request, for the log. */
  userId?: string;
  /** The outcome, for the log, if the answer is a redirect. */
  outcome?: "refused" | "throttled";
  /** A device cookie to set. */
  newDevice?: string;
};

const storage = new AsyncLocalStorage<RequestNotes>();

/**
 * Runs the work of a request.
 * @throws the noted failure, if there is one
 */
export async function withRequestNotes<Result>(notes: RequestNotes, work: () => Promise<Result>): Promise<Result> {
  const result = await storage.run(notes, work);
  if (notes.failure) throw notes.failure;
  return result;
}

/** The notes of the current request. Outside of a request they are empty and lost. */
export function requestNotes(): RequestNotes {
  return storage.getStore() ?? { place: "", origin: "", source: NOWHERE };
}
