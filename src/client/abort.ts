/** Waiting that ends at an abort or after a time. It leaves no timer and no listener behind. */
import { aborted } from "./errors.ts";
import { type AbortSignalLike, platform } from "./platform.ts";

/** What every call accepts. */
export type Abortable = {
  /** Aborts the request, or the pause before the next attempt. The call then fails with the code `aborted`. */
  signal?: AbortSignalLike | undefined;
};

/**
 * Runs `work` until it settles, `signal` aborts or `ms` have passed, even if `work` ignores the signal that it is given.
 * @throws what `work` throws, a TasksError `aborted`, or an Error when the time has passed
 */
export async function withLimit<Result>(
  { signal, ms }: Abortable & { ms?: number | undefined },
  work: (signal: AbortSignalLike) => Promise<Result>,
): Promise<Result> {
  if (signal?.aborted) throw aborted(signal.reason);
  const controller = new platform.AbortController();
  let stop = (_error: Error) => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = (error) => {
      reject(error);
      controller.abort(error);
    };
  });
  const onAbort = () => stop(aborted(signal?.reason));
  const onTimeout = () => stop(new Error(`No answer within ${ms} ms`));
  const timer = ms === undefined ? undefined : platform.setTimeout(onTimeout, ms);
  signal?.addEventListener("abort", onAbort);
  try {
    return await Promise.race([work(controller.signal), stopped]);
  } finally {
    platform.clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** @throws TasksError `aborted` */
export async function pause(ms: number, signal: AbortSignalLike | undefined): Promise<void> {
  let timer: unknown;
  const passed = () => new Promise<void>((resolve) => (timer = platform.setTimeout(resolve, ms)));
  await withLimit({ signal }, passed).finally(() => platform.clearTimeout(timer));
}
