/** Starts the processes that are measured, each on a loopback port of its own, and ends them. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const children: ChildProcess[] = [];

/** A process that answers HTTP. */
export type Served = { pid: number; port: number };

/** Starts a Node script that prints its port. */
export async function startNode(script: string, args: string[] = []): Promise<Served> {
  const child = keep(spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "inherit"] }));
  return { pid: child.pid ?? 0, port: Number(await firstLine(child)) };
}

/** Starts a program that runs until `stopAll`. */
export function start(program: string, args: string[]): number {
  return keep(spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] })).pid ?? 0;
}

/** Ends one of the processes that were started here. */
export function stop(pid: number): void {
  const child = children.find((each) => each.pid === pid);
  if (child) children.splice(children.indexOf(child), 1);
  child?.kill("SIGKILL");
}

/** Ends what was started here, and nothing else. */
export function stopAll(): void {
  for (const child of children.splice(0)) child.kill("SIGKILL");
}

function keep(child: ChildProcess): ChildProcess {
  children.push(child);
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("the process prints nothing");
  for await (const line of createInterface({ input: child.stdout })) {
    child.stdout.resume();
    return line;
  }
  throw new Error("the process ended before it was ready");
}
