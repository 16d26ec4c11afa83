/** `npm start` in a copy of the project, as somebody would run it who has just cloned it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const READY_WITHIN_MS = 60_000;
const GONE_WITHIN_MS = 5_000;

/** Copies what git knows, and borrows the installed packages. */
export function copyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), "edge-tasks-"));
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" });
  for (const file of files.split("\n").filter((name) => name !== "" && existsSync(name))) {
    cpSync(file, join(folder, file), { recursive: true });
  }
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  return folder;
}

export class Server {
  readonly url: string;
  /** The file with what the server prints. */
  readonly log: string;
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  private constructor(folder: string, port: number, [command, ...args]: [string, ...string[]]) {
    this.url = `http://127.0.0.1:${port}`;
    // In a process group of its own, as a terminal would have it: Ctrl-C reaches every process of it.
    mkdirSync(join(folder, ".wrangler"), { recursive: true });
    this.log = join(folder, `.wrangler/server-${port}.log`);
    const log = openSync(this.log, "a");
    this.child = spawn(command, [...args, "--port", String(port)], {
      cwd: folder,
      detached: true,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.ended = new Promise((done) => this.child.on("exit", done));
  }

  get output(): string {
    return readFileSync(this.log, "utf8");
  }

  /** Starts the server and waits until it answers there; what is not configured is alive, and never ready. */
  static async start(folder: string, path: "/ready" | "/health" = "/ready"): Promise<Server> {
    return Server.open(folder, ["npm", "start", "--"], path);
  }

  /** Serves what was set up before, after a crash: without looking at packages and migrations again. */
  static again(folder: string): Promise<Server> {
    return Server.open(folder, [join(folder, "node_modules/.bin/wrangler"), "dev"], "/ready");
  }

  private static async open(folder: string, command: [string, ...string[]], path: string): Promise<Server> {
    const server = new Server(folder, await freePort(), command);
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await server.isReady(path))) {
      if (server.child.exitCode !== null || Date.now() > deadline) throw new Error(server.output);
      await sleep(200);
    }
    return server;
  }

  /** Presses Ctrl-C, and tells whether every process of it is gone soon after. */
  async stop(): Promise<boolean> {
    const group = -(this.child.pid ?? 0);
    process.kill(group, "SIGINT");
    await this.ended;
    const deadline = Date.now() + GONE_WITHIN_MS;
    while (Date.now() < deadline) {
      if (!exists(group)) return true;
      await sleep(50);
    }
    return false;
  }

  /** Ends every process of it where it stands. */
  async crash(): Promise<void> {
    process.kill(-(this.child.pid ?? 0), "SIGKILL");
    await this.ended;
  }

  async isReady(path = "/ready"): Promise<boolean> {
    return fetch(`${this.url}${path}`).then(
      (answer) => answer.ok,
      () => false,
    );
  }
}

export function removeProject(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function exists(group: number): boolean {
  try {
    return process.kill(group, 0);
  } catch {
    return false;
  }
}

/** A free port below those that the system gives to whoever asks for any, so that nobody takes it before the server does. */
function freePort(): Promise<number> {
  const port = 10_000 + Math.floor(Math.random() * 20_000);
  return new Promise((found) => {
    const probe = createServer().on("error", () => found(freePort()));
    probe.listen(port, "127.0.0.1", () => probe.close(() => found(port)));
  });
}
