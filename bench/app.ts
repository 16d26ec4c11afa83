/**
 * How long the app takes with many tasks, in Chromium beside a server that runs: `npm run bench:app`, with `npm start` in
 * another terminal. First rows are from a warm copy; toggling is from the click to the next frame. The median of each.
 */
import { chromium } from "playwright-core";

const BASE = process.env["API"] ?? "http://localhost:8787";
const SIZES = [100, 1000, 10_000];
const RUNS = 9;
const PASSWORD = "correct horse battery";

const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
console.log("tasks | first copy, ms | first rows, ms | toggle a row, ms | search, ms");
for (const size of SIZES) console.log((await measure(size)).join(" | "));
await browser.close();

async function measure(size: number): Promise<number[]> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  // Marks the moment at which the first row is in the page.
  await context.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector(".row")) return;
      performance.mark("rows");
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
  });
  const page = await context.newPage();
  const email = `bench-${crypto.randomUUID()}@example.com`;
  const data = { name: "Bench", email, password: PASSWORD };
  await context.request.post(`${BASE}/api/auth/sign-up/email`, { data, headers: { origin: BASE } });
  const { token } = (await (await context.request.get(`${BASE}/api/auth/token`)).json()) as { token: string };
  const tasks = Array.from({ length: size }, (_, n) => ({ title: `Task ${n}`, tags: [`tag${n % 20}`] }));
  await context.request.post(`${BASE}/api/v1/users/me/tasks/import`, {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    data: JSON.stringify({ tasks }),
    timeout: 120_000,
  });
  const before = performance.now();
  await page.goto(`${BASE}/?view=all`);
  await page.getByRole("link", { name: `All tasks ${size}` }).waitFor({ timeout: 120_000 });
  const copied = performance.now() - before;

  const opened: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    await page.goto(`${BASE}/?view=all`);
    await page.locator(".row").first().waitFor();
    opened.push(await page.evaluate(() => performance.getEntriesByName("rows")[0]?.startTime ?? Number.NaN));
  }
  const frameAfter = (selector: string, act: string) =>
    page.evaluate(
      ([query = "", how = ""]) =>
        new Promise<number>((resolve) => {
          const element = document.querySelector<HTMLInputElement>(query);
          const start = performance.now();
          if (how === "click") element?.click();
          else if (element) {
            element.value = how;
            element.dispatchEvent(new Event("input", { bubbles: true }));
          }
          requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
        }),
      [selector, act],
    );
  const toggled: number[] = [];
  for (let run = 0; run < RUNS; run += 1) toggled.push(await frameAfter(".tick", "click"));
  const searched: number[] = [];
  for (let run = 0; run < RUNS; run += 1) searched.push(await frameAfter("#search", run % 2 ? "9" : ""));
  await context.close();
  return [size, copied, median(opened), median(toggled), median(searched)].map(Math.round);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
