/** What is noted while one request passes through Better Auth, where its own return values have no room for it. */
import { AsyncLocalStorage } from "node:async_hooks";

export type RequestNotes = {
  /** The Cloudflare location that the request came in at. */
  place: string;
  /** A failure of D1 or of the password hasher, even one that Better Auth went on from without a word. */
  trouble?: Error;
  /** The password just verified has a hash of older parameters. */
  passwordHashIsOutdated?: boolean;
};

const storage = new AsyncLocalStorage<RequestNotes>();

/**
 * Runs a request's auth work.
 * @throws the trouble, if there was any on the way
 */
export async function withRequestNotes<Result>(place: string, work: () => Promise<Result>): Promise<Result> {
  const notes: RequestNotes = { place };
  const result = await storage.run(notes, work);
  if (notes.trouble) throw notes.trouble;
  return result;
}

/** The notes of the request at hand; none are kept outside of one. */
export function requestNotes(): RequestNotes {
  return storage.getStore() ?? { place: "" };
}
