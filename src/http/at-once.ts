/** How many long bodies are held at once: each takes memory, of which an isolate has 128 MB. */
import type { Context, Env } from "hono";
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
export function limitAtOnce<E extends Env>(most: number, mostOfOne: number, whoOf: (c: Context<E>) => string) {
  const places = new Set<Place>();

  return createMiddleware<E>(async (c, next) => {
    const place = await take(whoOf(c));
    await next();
    const { body } = c.res;
    if (body && c.req.method !== "HEAD") c.res = new Response(watched(body, place), c.res);
    else await leave(place, body);
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

  /** Nobody reads the body of an answer to HEAD. */
  async function leave(place: Place, body: ReadableStream | null): Promise<void> {
    places.delete(place);
    await body?.cancel();
  }

  /** Keeps a place as long as the answer is being read: to its end, until it fails, or until nobody wants it any more. */
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
