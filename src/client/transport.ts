/** Sends requests, and again what may be sent again. */
import { failureOf, isTasksError, networkFailure } from "./errors.ts";

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** A request; `repeatable` when sending it twice does no more than sending it once. */
export type Call = {
  method: string;
  path: string;
  query?: Record<string, string | number | undefined>;
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string | undefined>;
  repeatable: boolean;
  /** Whether the answer's body is left to the caller to read. */
  streams?: boolean;
};

/** An answer, and what it says. */
export type Answer = { response: Response; json: unknown };

export type Send = (call: Call) => Promise<Answer>;

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
const TIMEOUT_MS = 30_000;

/** @param credentials whether the browser adds its cookies */
export function createTransport(baseUrl: string, fetch: Fetch, credentials: boolean): Send {
  const origin = baseUrl.replace(/\/+$/, "");

  /** Sends a call until there is an answer that stands, and has arrived whole. Throws what fails. */
  return async function send(call: Call): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const response = await fetch(origin + call.path + toQuery(call.query), initOf(call, credentials));
        if (!response.ok) throw await failureOf(response);
        return { response, json: call.streams ? undefined : parse(await response.text()) };
      } catch (error) {
        const failure = isTasksError(error) ? error : networkFailure(error, !call.repeatable);
        const pause = pauseBefore(attempt, failure.retryAfterSeconds);
        if (attempt === ATTEMPTS || !mayRepeat(call, failure.status) || pause > LONGEST_PAUSE_MS) throw failure;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  };
}

/** A 429 was answered before anything was done. What else is worth another try may have been done. */
function mayRepeat({ repeatable }: Call, status: number): boolean {
  return status === 429 || (repeatable && (status === 0 || status === 502 || status === 503 || status === 504));
}

/** Twice as long each time, and each time at random, so that callers do not come back together. */
function pauseBefore(attempt: number, retryAfterSeconds = 0): number {
  return retryAfterSeconds * 1000 + FIRST_PAUSE_MS * 2 ** (attempt - 1) * Math.random();
}

function initOf({ method, json, body, headers = {}, streams }: Call, credentials: boolean): RequestInit {
  const sent = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return {
    method,
    headers: Object.fromEntries(json === undefined ? sent : [...sent, ["content-type", "application/json"]]),
    ...(json === undefined ? body !== undefined && { body } : { body: JSON.stringify(json) }),
    ...(credentials && { credentials: "include" as const }),
    ...(!streams && { signal: AbortSignal.timeout(TIMEOUT_MS) }),
  };
}

function toQuery(query: Call["query"] = {}): string {
  const entries = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, `${value}`]]));
  return entries.length > 0 ? `?${new URLSearchParams(entries)}` : "";
}

function parse(text: string): unknown {
  return text === "" ? undefined : JSON.parse(text);
}
