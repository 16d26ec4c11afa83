/** How a call can fail. `isTasksError` narrows by `code`: after it, `precondition_failed` has a `revision`. */
import type { ProblemCode } from "./types.ts";

/** What some problems tell besides their code. */
type Facts = {
  invalid_request: { errors: { path: string; message: string }[] };
  precondition_failed: { revision: number };
};

type Failure<Code extends string> = Error & {
  readonly code: Code;
  /** The answer's status; 0 when there was none. */
  readonly status: number;
  /** Names the request in the server's log. */
  readonly requestId: string | undefined;
  readonly retryAfterSeconds: number | undefined;
};

/** A failed call: a problem of the API, a refusal of an account endpoint, or no answer at all. */
export type TasksError =
  | { [Code in ProblemCode]: Failure<Code> & (Code extends keyof Facts ? Facts[Code] : unknown) }[ProblemCode]
  | (Failure<"account_refused"> & {
      /** Better Auth's own code, such as `INVALID_EMAIL_OR_PASSWORD`. */
      readonly reason: string;
    })
  | (Failure<"network"> & {
      /** Whether it may have happened all the same: it was sent, it was not safe to repeat, and no answer came. */
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
  const shared = { status: answer.status, requestId: answer.headers.get("x-request-id") ?? undefined };
  const retryAfterSeconds = Number(answer.headers.get("retry-after")) || undefined;
  const isProblem = answer.headers.get("content-type")?.startsWith("application/problem+json");
  const facts = isProblem
    ? { code: body["code"], errors: body["errors"], revision: body["revision"] }
    : { code: "account_refused", reason: String(body["code"] ?? answer.status) };
  const message = String((isProblem ? body["detail"] : body["message"]) ?? `The server answered ${answer.status}`);
  return Object.assign(new CallFailed(message), { ...shared, retryAfterSeconds, ...facts }) as TasksError;
}

/** The failure to get an answer. */
export function networkFailure(cause: unknown, outcomeUnknown: boolean): TasksError {
  const error = new CallFailed("The server could not be reached", { cause });
  const facts = { code: "network", status: 0, requestId: undefined, retryAfterSeconds: undefined, outcomeUnknown };
  return Object.assign(error, facts) as TasksError;
}
