/**
 * Does the time of an answer tell whether an address has an account?
 *   npm run bench:enumeration
 * Tries both kinds in turn against the built Worker and prints what the tries of each took, in milliseconds.
 */
import { type Answer, PASSWORD, SECRET, startIsolates } from "../test/support/node/isolates.ts";

const TRIES_PER_ARM = 250;
const vars = {
  BETTER_AUTH_SECRET: SECRET,
  EMAIL_FROM: "bench@edge-tasks.localhost",
  BETTER_AUTH_URL: "https://tasks.test",
};
const { first: call, harness } = await startIsolates(vars);
const { DB } = await harness.getWorker<{ DB: D1Like }>("first").getEnv();

type D1Like = { prepare: (sql: string) => { run: () => Promise<unknown> } };

const known = "known@example.com";
await call("/api/auth/sign-up/email", { json: { name: "Known", email: known, password: PASSWORD } });

await compare("sign-in: wrong password / unknown address", (email) =>
  call("/api/auth/sign-in/email", { json: { email, password: "not the password" } }),
);
await compare("password reset: known / unknown address", (email) =>
  call("/api/auth/request-password-reset", { json: { email } }),
);
await harness.close();

async function compare(what: string, attempt: (email: string) => Promise<Answer>): Promise<void> {
  const times: Record<"known" | "unknown", number[]> = { known: [], unknown: [] };
  for (let n = 0; n < TRIES_PER_ARM; n += 1) {
    for (const arm of n % 2 ? (["known", "unknown"] as const) : (["unknown", "known"] as const)) {
      // Otherwise the throttle would answer, and that alike anyway.
      await DB.prepare("delete from throttle").run();
      const start = performance.now();
      const answer = await attempt(arm === "known" ? known : `unknown-${n}@example.com`);
      await answer.arrayBuffer();
      times[arm].push(performance.now() - start);
    }
  }
  console.log(`\n${what} (${TRIES_PER_ARM} tries each, ms)`);
  console.table(Object.fromEntries(Object.entries(times).map(([arm, taken]) => [arm, summarize(taken)])));
}

function summarize(taken: number[]): Record<string, string> {
  const sorted = taken.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  return { floor: at(0), "lower quartile": at(0.25), median: at(0.5), "upper quartile": at(0.75) };
}
