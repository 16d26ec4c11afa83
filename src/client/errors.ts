/** How a call can fail. `isTasksError` narrows by `code`: after it, `precondition_failed` has a `revision`. */
import type { ProblemCode } from "./types.ts";

/** Which quota would be exceeded: how much is allowed, how much is used, and when the count begins anew. */
type Quota = { name: "tasks" | "bytes" | "changesPerDay"; limit: number; used: number; renewsAt: string | null };

/** What some problems tell besides their code. `operation` is that of a batch which was refused, counted from 0. */
type Facts = {
  invalid_request: { errors: { path: string; message: string }[]; moreErrors?: number };
  not_found: { operation?: number };
  precondition_failed: { revision: number; operation?: number };
  quota_exceeded: { quota: Quota; operation?: number };
  daily_quota_exceeded: { quota: Quota; operation?: number };
};

type Failure<Code extends string> = Error & {
  readonly code: Code;
  /** The answer's status; 0 when there was none. */
  readonly status: number;
  /** Names the request in the server's log. */
  readonly requestId: string | undefined;
  readonly retryAfterSeconds: number | undefined;
};

/** A failed call: a problem of the API, a refusal of an account endpoint, or no answer that could be read. */
export type TasksError =
  | { [Code in ProblemCode]: Failure<Code> & (Code extends keyof Facts ? Facts[Code] : unknown) }[ProblemCode]
  | (Failure<"account_refused"> & {
      /** Better Auth's own code, such as `INVALID_EMAIL_OR_PASSWORD`. */
      readonly reason: string;
    })
  | (Failure<"network"> & {
      /** Whether it may have happened all the same: it was sent, and is not safe to repeat. */
      readonly outcomeUnknown: boolean;
    });

export function isTasksError(error: unknown): error is TasksError {
  return error instanceof CallFailed;
}

class CallFailed extends Error {
  override readonly name = "TasksError";
}

/** The failure that an answer tells of. */
export async function failureOf(answer: Response): Promise<TasksError> {
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  const shared = {
    status: answer.status,
    requestId: answer.headers.get("x-request-id") ?? undefined,
    retryAfterSeconds: Number(answer.headers.get("retry-after")) || undefined,
  };
  if (answer.headers.get("content-type")?.startsWith("application/problem+json")) {
    const { code, errors, moreErrors, quota, revision, operation } = body;
    return failed(body["detail"], { ...shared, code, errors, moreErrors, quota, revision, operation });
  }
  if (typeof body["code"] === "string") {
    return failed(body["message"], { ...shared, code: "account_refused", reason: body["code"] });
  }
  // Something between us and the Worker answered.
  return failed(`The server answered ${answer.status}`, { ...shared, code: "network", outcomeUnknown: true });
}

/** The failure to get an answer. */
export function networkFailure(cause: unknown, outcomeUnknown: boolean): TasksError {
  return failed("The server could not be reached", { ...NO_ANSWER, code: "network", outcomeUnknown }, cause);
}

/** The session has ended, or another took its place. */
export function sessionEnded(): TasksError {
  return failed("The session has ended. Sign in again.", { ...NO_ANSWER, status: 401, code: "session_ended" });
}

const NO_ANSWER = { status: 0, requestId: undefined, retryAfterSeconds: undefined };

function failed(message: unknown, facts: object, cause?: unknown): TasksError {
  return Object.assign(new CallFailed(String(message), { cause }), facts) as TasksError;
}
