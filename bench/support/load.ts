/** Sends requests over kept connections, a few at once. */
import { Agent, request } from "node:http";
import { ORIGIN } from "./people.ts";

const AT_ONCE = 4;
/** As if Cloudflare stood before the server. */
const FORWARDED = { host: new URL(ORIGIN).host, "x-forwarded-proto": "https" };

export type Call = { method: string; path: string; headers: Record<string, string>; body?: string };

/**
 * Sends calls until `count` answers have come.
 * @param callFor the n-th call
 * @param status the status that each answer must have
 * @returns milliseconds for all of them
 */
export async function send(port: number, count: number, status: number, callFor: (n: number) => Call): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const start = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < count) {
        const call = callFor(next);
        next += 1;
        const answer = await sendOne(agent, port, call);
        if (answer.status === status) continue;
        throw new Error(
          `${call.method} ${call.path}: ${answer.status} in place of ${status}: ${answer.text.slice(0, 300)}`,
        );
      }
    }),
  );
  const elapsed = performance.now() - start;
  agent.destroy();
  return elapsed;
}

/** Sends one call, and returns its answer. */
export async function sendOnce(port: number, call: Call) {
  const agent = new Agent();
  const answer = await sendOne(agent, port, call);
  agent.destroy();
  return answer;
}

function sendOne(agent: Agent, port: number, { method, path, headers, body }: Call) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, agent, method, path, headers: { ...FORWARDED, ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() });
        });
        answer.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
