import { describe, expect, it } from "vitest";
import { header, type Person, someone } from "../support/client.ts";

/** Follows nextCursor to the end, doing something between pages. */
async function walk(
  person: Person,
  limit: number,
  between: () => Promise<unknown> = async () => {},
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: Awaited<ReturnType<Person["list"]>> = await person.list(
      `?limit=${limit}${cursor && `&cursor=${cursor}`}`,
    );
    expect(page.data.length).toBeLessThanOrEqual(limit);
    ids.push(...page.data.map(({ id }) => id));
    cursor = page.nextCursor;
    await between();
  }
  return ids;
}

async function create(person: Person, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) ids.unshift((await person.create({ title: `Task ${n}` })).id);
  return ids;
}

describe("T5 a list", () => {
  it("T5 is empty for a newcomer", async () => {
    expect(await (await someone()).list()).toEqual({ data: [], nextCursor: null, total: expect.any(Object) });
  });

  it("T5 is newest first, with pages of 20 by default and 100 at most", async () => {
    const person = await someone();
    const ids = await create(person, 25);
    const first = await person.list();
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 20));
    expect((await person.list(`?cursor=${first.nextCursor}`)).data.map(({ id }) => id)).toEqual(ids.slice(20));
    expect((await person.list("?limit=100")).nextCursor).toBeNull();
    for (const limit of [1, 2, 7, 24, 25, 26]) expect(await walk(person, limit)).toEqual(ids);
  });

  it("T5 an empty page follows a full last page", async () => {
    const person = await someone();
    await create(person, 4);
    const { nextCursor } = await person.list("?limit=2");
    const second = await person.list(`?limit=2&cursor=${nextCursor}`);
    expect(second.data).toHaveLength(2);
    expect(await person.list(`?limit=2&cursor=${second.nextCursor}`)).toEqual({
      data: [],
      nextCursor: null,
      total: expect.any(Object),
    });
  });

  it("T5 a walk stays correct while tasks are added, changed and removed", async () => {
    const person = await someone();
    const ids = await create(person, 30);
    const doomed = ids.filter((_, index) => index % 3 === 0);
    const kept = ids.filter((id) => !doomed.includes(id));
    const seen = await walk(person, 4, async () => {
      await person.create({ title: "Late" });
      await person.patch(kept[7] ?? "", { title: crypto.randomUUID() });
      const next = doomed.pop();
      if (next) await person.remove(next);
    });
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => kept.includes(id))).toEqual(kept);
  });

  it.each(["0", "-1", "101", "1.5", "", "x", "1e1", "NaN", "9".repeat(400), "10%20"])(
    "T5 limit=%s is 400",
    async (limit) => {
      const person = await someone();
      const answer = await person.call(`${person.path}?limit=${limit}`);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: "invalid_request", errors: [{ path: "limit" }] });
    },
  );

  it("T5 a repeated or unknown parameter is 400 and named", async () => {
    const person = await someone();
    for (const [query, path] of [
      ["limit=1&limit=2", "limit"],
      ["cursor=a&cursor=b", "cursor"],
      ["page=2", "page"],
      ["Limit=2", "Limit"],
      ["__proto__=2", "__proto__"],
    ]) {
      const answer = await person.call(`${person.path}?${query}`);
      expect(answer.status, query).toBe(400);
      expect(await answer.json()).toMatchObject({ errors: [{ path }] });
    }
  });

  it("T5 a broken, altered or invented cursor is 400, without details", async () => {
    const person = await someone();
    const ids = await create(person, 3);
    const cursor = (await person.list("?limit=1")).nextCursor ?? "";
    const [body = "", tag = ""] = cursor.split(".");
    const invented = [btoa(ids[1] ?? ""), ids[1] ?? "", "x", "", ".", "..", `${body}.`, `.${tag}`, `${cursor}.${tag}`];
    const altered = [
      `${cursor}=`,
      `${cursor}A`,
      cursor.slice(1),
      cursor.slice(0, -1),
      cursor.toUpperCase(),
      ` ${cursor}`,
    ];
    const texts = ["%00", "%F0%9F", "null", "-1", "é", "a".repeat(10_000), `${body.slice(0, -1)}A.${tag}`];
    const answers = new Set<string>();
    for (const bad of [...invented, ...altered.map(encodeURIComponent), ...texts]) {
      const answer = await person.call(`${person.path}?limit=1&cursor=${bad}`, { headers: { "x-request-id": "same" } });
      expect(answer.status, bad).toBe(400);
      answers.add(await answer.text());
    }
    expect(answers.size).toBe(1);
    expect([...answers][0]).toContain('"path":"cursor"');
  });

  it("T5 carries the bookmark for the next read", async () => {
    const person = await someone();
    expect(header(await person.call(person.path), "x-d1-bookmark")).toBeTruthy();
  });
});
