/** How many long bodies are held at once: each takes memory, of which an isolate has 128 MB. */
import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { Problem } from "./problem.ts";

/** Who takes no more of an answer for so long, or has not sent a body in it, keeps nobody else waiting. */
const IDLE_MS = 60_000;
/** Whoever comes while all places are taken waits so long for one. */
const WAIT_MS = 10_000;
const POLL_MS = 50;

type Place = { who: string; freeAt: number };

/**
 * Lets so many requests of this isolate through at once, until their answers have been read; the others wait for a place.
 * @param most requests of everybody together
 * @param mostOfOne requests of one caller
 * @param whoOf names the caller
 */
export function limitAtOnce<C extends Context>(
  most: number,
  mostOfOne: number,
  whoOf: (c: C) => string,
): MiddlewareHandler {
  const places = new Set<Place>();

  return createMiddleware(async (c, next) => {
    const place = await take(whoOf(c as C));
    try {
      await next();
    } catch (error) {
      places.delete(place);
      throw error;
    }
    c.res = c.res.body ? new Response(c.res.body.pipeThrough(watched(place)), c.res) : c.res;
    if (!c.res.body) places.delete(place);
  });

  async function take(who: string): Promise<Place> {
    for (let waited = 0; waited <= WAIT_MS; waited += POLL_MS) {
      const now = Date.now();
      for (const place of places) if (place.freeAt <= now) places.delete(place);
      if (places.size < most && [...places].filter((place) => place.who === who).length < mostOfOne) {
        const place = { who, freeAt: now + IDLE_MS };
        places.add(place);
        return place;
      }
      await scheduler.wait(POLL_MS);
    }
    throw new Problem("too_many_requests", {}, { "Retry-After": String(WAIT_MS / 1000) });
  }

  /** Keeps a place as long as the answer is being read. */
  function watched(place: Place) {
    return new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        place.freeAt = Date.now() + IDLE_MS;
        controller.enqueue(chunk);
      },
      flush() {
        places.delete(place);
      },
    });
  }
}
