/** The processor time of a process, from Linux's own counters. */
import { readdirSync, readFileSync } from "node:fs";

/**
 * The processor time of all threads of a process so far, in milliseconds.
 * @see https://docs.kernel.org/scheduler/sched-stats.html (the first number of /proc/<pid>/schedstat, in nanoseconds)
 */
export function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  });
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}
