/** Sends requests, and repeats those that are safe to repeat. */
import { type Abortable, pause, withLimit } from "./abort.ts";
import { aborted, failureOf, isTasksError, networkFailure, type TasksError } from "./errors.ts";
import type { Fetch, RequestLike, ResponseLike } from "./platform.ts";

/** A request; `repeatable` when sending it twice has the effect of sending it once. */
export type Call = Abortable & {
  method: string;
  path: string;
  query?: Record<string, string | number | undefined>;
  json?: unknown;
  body?: string | ArrayBuffer;
  headers?: Record<string, string | undefined>;
  repeatable: boolean;
  /** Whose task data it asks for, if it names a user: then it is sent with a token of theirs, if there is one. */
  userId?: string | undefined;
  /** Whether the response's body is left to the caller to read. */
  streams?: boolean;
};

/** A response and its parsed body. */
export type Answer = { response: ResponseLike; json: unknown };

export type Send = (call: Call) => Promise<Answer>;

const TOO_MANY_REQUESTS = 429;
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
const TIMEOUT_MS = 30_000;

/** @param credentials whether the browser adds its cookies */
export function createTransport(baseUrl: string, fetch: Fetch, credentials: boolean): Send {
  const origin = baseUrl.replace(/\/+$/, "");

  /** Sends a call until a response is final and complete. Throws a TasksError. */
  return async function send(call: Call): Promise<Answer> {
    if (call.signal?.aborted) throw aborted(call.signal.reason);
    let outcomeUnknown = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await sendOnce(call);
      } catch (error) {
        outcomeUnknown ||= writes(call) && !(isTasksError(error) && error.status === TOO_MANY_REQUESTS);
        const failure = failureFrom(error, outcomeUnknown);
        const pauseMs = pauseBefore(attempt, failure.retryAfterSeconds);
        if (attempt === ATTEMPTS || !mayRepeat(call, failure) || pauseMs > LONGEST_PAUSE_MS) throw failure;
        await pause(pauseMs, call.signal).catch((stopped: unknown) => {
          throw failureFrom(stopped, outcomeUnknown);
        });
      }
    }
  };

  async function sendOnce(call: Call): Promise<Answer> {
    const { signal, streams } = call;
    return withLimit({ signal, ms: streams ? undefined : TIMEOUT_MS }, async (limit) => {
      // The caller of a stream reads its body after this function has returned.
      const init = { ...initOf(call, credentials), ...(streams ? signal && { signal } : { signal: limit }) };
      const response = await fetch(origin + call.path + toQuery(call.query), init);
      if (!response.ok) throw await failureOf(response, writes(call));
      return { response, json: streams ? undefined : parse(await response.text()) };
    });
  }
}

/** A GET that is not repeatable uses up a one-time link. */
function writes({ method, repeatable }: Call): boolean {
  return method !== "GET" || !repeatable;
}

function failureFrom(error: unknown, outcomeUnknown: boolean): TasksError {
  if (!isTasksError(error)) return networkFailure(error, outcomeUnknown);
  return error.code === "aborted" ? aborted(error.cause, outcomeUnknown) : error;
}

/** A request that was answered 429 was not carried out. One that failed in another temporary way may have been. */
function mayRepeat({ repeatable }: Call, { code, status }: TasksError): boolean {
  if (code === "aborted") return false;
  return status === TOO_MANY_REQUESTS || (repeatable && (status === 0 || [502, 503, 504].includes(status)));
}

/** Doubles with each attempt, and is random so that clients do not retry in step. */
function pauseBefore(attempt: number, retryAfterSeconds = 0): number {
  return retryAfterSeconds * 1000 + FIRST_PAUSE_MS * 2 ** (attempt - 1) * Math.random();
}

function initOf({ method, json, body, headers = {} }: Call, credentials: boolean): RequestLike {
  const sent = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const text = json === undefined ? body : JSON.stringify(json);
  return {
    method,
    headers: Object.fromEntries(json === undefined ? sent : [...sent, ["content-type", "application/json"]]),
    ...(text !== undefined && { body: text }),
    ...(credentials && { credentials: "include" }),
  };
}

function toQuery(query: Call["query"] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.length > 0 ? `?${pairs.join("&")}` : "";
}

function parse(text: string): unknown {
  return text === "" ? undefined : JSON.parse(text);
}
