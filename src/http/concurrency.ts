/** Limits how many long bodies are handled at once: each takes memory, and an isolate has 128 MB. */
import type { Context, Env } from "hono";
import { createMiddleware } from "hono/factory";
import { Problem } from "./problem.ts";

/** A caller that reads no answer or sends no body for so long loses its place. */
const IDLE_MS = 60_000;
/** How long a request waits for a place. */
const WAIT_MS = 10_000;
const POLL_MS = 50;

type Place = { who: string; freeAt: number };

/**
 * Limits the requests that this isolate handles at once, until their answers have been read. Others wait for a place, and
 * are refused after 10 s.
 * @param max of all callers together
 * @param maxPerCaller of one caller
 * @param callerOf the caller's id
 */
export function limitConcurrency<E extends Env>(
  max: number,
  maxPerCaller: number,
  callerOf: (c: Context<E>) => string,
) {
  const places = new Set<Place>();

  return createMiddleware<E>(async (c, next) => {
    const place = await take(callerOf(c));
    await next();
    const { body } = c.res;
    if (body && c.req.method !== "HEAD") c.res = new Response(watched(body, place), c.res);
    else await leave(place, body);
  });

  async function take(who: string): Promise<Place> {
    for (let waited = 0; waited <= WAIT_MS; waited += POLL_MS) {
      const now = Date.now();
      for (const place of places) if (place.freeAt <= now) places.delete(place);
      if (places.size < max && [...places].filter((place) => place.who === who).length < maxPerCaller) {
        const place = { who, freeAt: now + IDLE_MS };
        places.add(place);
        return place;
      }
      await scheduler.wait(POLL_MS);
    }
    throw new Problem("too_many_requests", {}, { "Retry-After": String(WAIT_MS / 1000) });
  }

  /** Frees the place at once: nobody reads the body of an answer to HEAD. */
  async function leave(place: Place, body: ReadableStream | null): Promise<void> {
    places.delete(place);
    await body?.cancel();
  }

  /** Frees the place when the answer has been read, has failed or was cancelled. */
  function watched(body: ReadableStream<Uint8Array>, place: Place): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        place.freeAt = Date.now() + IDLE_MS;
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          places.delete(place);
          controller.close();
        } catch (error) {
          places.delete(place);
          controller.error(error);
        }
      },
      async cancel(reason) {
        places.delete(place);
        await reader.cancel(reason);
      },
    });
  }
}
