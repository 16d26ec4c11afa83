/**
 * Measures whether response times reveal that an email address has an account.
 *   npm run bench:enumeration
 * Alternates known and unknown addresses against the built Worker, and prints the response times of both in milliseconds.
 */
import { type Answer, PASSWORD, SECRET, startIsolates } from "../test/support/node/isolates.ts";

const REQUESTS_PER_KIND = 250;
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

async function compare(title: string, send: (email: string) => Promise<Answer>): Promise<void> {
  const times: Record<"known" | "unknown", number[]> = { known: [], unknown: [] };
  for (let n = 0; n < REQUESTS_PER_KIND; n += 1) {
    for (const kind of n % 2 ? (["known", "unknown"] as const) : (["unknown", "known"] as const)) {
      // A throttled request is rejected before the code that is measured.
      await DB.prepare("delete from throttle").run();
      const start = performance.now();
      const answer = await send(kind === "known" ? known : `unknown-${n}@example.com`);
      await answer.arrayBuffer();
      times[kind].push(performance.now() - start);
    }
  }
  console.log(`\n${title} (${REQUESTS_PER_KIND} requests each, ms)`);
  console.table(Object.fromEntries(Object.entries(times).map(([kind, values]) => [kind, summarize(values)])));
}

function summarize(values: number[]): Record<string, string> {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  return { minimum: at(0), "lower quartile": at(0.25), median: at(0.5), "upper quartile": at(0.75) };
}
