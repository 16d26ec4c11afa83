/** How a call can fail. `isTasksError` narrows by `code`: after it, `precondition_failed` has a `revision`. */
import type { ResponseLike } from "./platform.ts";
import type { ProblemCode } from "./types.ts";

/** Which quota would be exceeded: its limit, what is used of it, and when it renews. */
type Quota = { name: "tasks" | "bytes" | "changesPerDay"; limit: number; used: number; renewsAt: string | null };

/** What some problems contain besides their code. `operation` is the index of the refused operation of a batch. */
type Facts = {
  invalid_request: { errors: { path: string; message: string }[]; moreErrors?: number };
  not_found: { operation?: number };
  precondition_failed: { revision: number; operation?: number };
  quota_exceeded: { quota: Quota; operation?: number };
  daily_quota_exceeded: { quota: Quota; operation?: number };
};

type Failure<Code extends string> = Error & {
  readonly code: Code;
  /** The response's status; 0 without a response. */
  readonly status: number;
  /** Identifies the request in the server's log. */
  readonly requestId: string | undefined;
  readonly retryAfterSeconds: number | undefined;
};

/** A call without a readable response: the network failed, or the caller aborted it. */
type NoAnswer<Code extends string> = Failure<Code> & {
  /** Whether the server may have carried out the call. Always false for reads. */
  readonly outcomeUnknown: boolean;
};

/** A failed call: a problem of the API, a refusal of an account endpoint, or no readable response. */
export type TasksError =
  | { [Code in ProblemCode]: Failure<Code> & (Code extends keyof Facts ? Facts[Code] : unknown) }[ProblemCode]
  | (Failure<"account_refused"> & {
      /** The account endpoint's own code, such as `INVALID_EMAIL_OR_PASSWORD`. */
      readonly reason: string;
    })
  | NoAnswer<"network">
  | NoAnswer<"aborted">;

export function isTasksError(error: unknown): error is TasksError {
  return error instanceof CallFailed;
}

class CallFailed extends Error {
  override readonly name = "TasksError";
}

/** The failure that a response describes. */
export async function failureOf(response: ResponseLike, outcomeUnknown: boolean): Promise<TasksError> {
  // A body that is not JSON comes from a proxy, and describes nothing.
  const body = (await response.json().catch(() => null)) as Record<string, unknown> | null;
  const shared = {
    status: response.status,
    requestId: response.headers.get("x-request-id") ?? undefined,
    retryAfterSeconds: Number(response.headers.get("retry-after")) || undefined,
  };
  if (response.headers.get("content-type")?.startsWith("application/problem+json")) {
    const { code, errors, moreErrors, quota, revision, operation } = body ?? {};
    return failed(body?.["detail"], { ...shared, code, errors, moreErrors, quota, revision, operation });
  }
  if (typeof body?.["code"] === "string") {
    return failed(body["message"], { ...shared, code: "account_refused", reason: body["code"] });
  }
  return failed(`The server answered ${response.status}`, { ...shared, code: "network", outcomeUnknown });
}

export function networkFailure(cause: unknown, outcomeUnknown: boolean): TasksError {
  return failed("The server could not be reached", { ...NO_ANSWER, code: "network", outcomeUnknown }, cause);
}

/** @param cause the signal's reason */
export function aborted(cause: unknown, outcomeUnknown = false): TasksError {
  return failed("The call was aborted", { ...NO_ANSWER, code: "aborted", outcomeUnknown }, cause);
}

/** The session has ended, or another one has replaced it. */
export function sessionEnded(): TasksError {
  return failed("The session has ended. Sign in again.", { ...NO_ANSWER, status: 401, code: "session_ended" });
}

const NO_ANSWER = { status: 0, requestId: undefined, retryAfterSeconds: undefined };

// The callers above pass the fields of the code that they set.
function failed(message: unknown, facts: object, cause?: unknown): TasksError {
  return Object.assign(new CallFailed(String(message), { cause }), facts) as TasksError;
}
