import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Task } from "../../src/tasks/model.ts";
import { header, ok, type Person, someone } from "../support/client.ts";

let person: Person;

beforeAll(async () => {
  person = await someone();
});

/** The four writes that obey If-Match, each of which would change the task. */
function writes(id: string): [string, (headers: Record<string, string>) => Promise<Response>][] {
  return [
    ["PUT", (headers) => person.put(id, { title: "Put" }, headers)],
    ["PATCH", (headers) => person.patch(id, { title: "Patched" }, headers)],
    ["complete", (headers) => person.complete(id, true, headers)],
    ["DELETE", (headers) => person.remove(id, headers)],
  ];
}

describe("If-Match", () => {
  it.each(["PUT", "PATCH", "complete", "DELETE"])(
    "T3 %s with a stale tag is 412, tells the revision, and writes nothing",
    async (name) => {
      const stale = await person.create();
      const task = await ok<Task>(await person.patch(stale.id, { description: "moved on" }));
      const write = writes(task.id).find(([method]) => method === name)?.[1];
      const others = [`"${stale.revision}"`, '"999999"', `W/"${stale.revision}"`, '"x"', '""', '"888888","999999"'];
      for (const tag of others) {
        const answer = await write?.({ "if-match": tag });
        expect(answer?.status, tag).toBe(412);
        expect(await answer?.json()).toMatchObject({
          code: "precondition_failed",
          detail: `The task is at revision ${task.revision}, which your If-Match or If-None-Match excludes. Read it again and retry with its current ETag.`,
          revision: task.revision,
        });
        expect(answer?.headers.get("etag")).toBe(`"${task.revision}"`);
      }
      expect(await person.read(task.id)).toEqual(task);
    },
  );

  it.each(["PUT", "PATCH", "complete", "DELETE"])(
    "T3 %s with the current tag, one of several, or * goes through",
    async (name) => {
      for (const shape of [(tag: string) => tag, (tag: string) => `"0", W/"5" ,${tag}`, () => "*"]) {
        const task = await person.create();
        const write = writes(task.id).find(([method]) => method === name)?.[1];
        const answer = await write?.({ "if-match": shape(`"${task.revision}"`) });
        expect(answer?.status).toBe(name === "DELETE" ? 204 : 200);
      }
    },
  );

  it.each(["1", "abc", '"1', '"1" "2"', "**", '*, "1"', ",", "'1'"])(
    "T3 %s is no list of entity tags: 400",
    async (tag) => {
      const task = await person.create();
      for (const [name, write] of writes(task.id)) {
        const answer = await write({ "if-match": tag });
        expect(answer.status, name).toBe(400);
        expect(await answer.json()).toMatchObject({ errors: [{ path: "if-match" }] });
      }
      expect(await person.read(task.id)).toEqual(task);
    },
  );

  it("T3 a write that changes nothing still needs the current ETag", async () => {
    const task = await person.create({ title: "Same" });
    const current = await person.patch(task.id, { title: "Same" }, { "if-match": `"${task.revision}"` });
    expect([current.status, header(current, "etag")]).toEqual([200, `"${task.revision}"`]);
    expect((await person.patch(task.id, { title: "Same" }, { "if-match": '"0"' })).status).toBe(412);
  });

  it("S5 on an unknown or foreign task, the answer is 404", async () => {
    for (const [name, write] of writes(crypto.randomUUID())) {
      expect((await write({ "if-match": '"1"' })).status, name).toBe(404);
      expect((await write({ "if-match": "*" })).status, name).toBe(404);
    }
  });
});

describe("parallel changes", () => {
  it("T4 50 changes with If-Match give 50 revisions, and no change is lost", async () => {
    const { id, revision } = await person.create({ title: "Contended" });
    async function increment(worker: number): Promise<number> {
      for (let acknowledged = 0; ; ) {
        const task = await person.read(id);
        const title = `${task.title.slice(0, 200)} ${worker}`;
        const answer = await person.patch(id, { title }, { "if-match": `"${task.revision}"` });
        if (answer.status === 200) acknowledged += 1;
        else expect(answer.status).toBe(412);
        if (acknowledged === 5) return acknowledged;
      }
    }
    const acknowledged = await Promise.all(Array.from({ length: 10 }, (_, worker) => increment(worker)));
    const final = await person.read(id);
    const total = acknowledged.reduce((sum, count) => sum + count, 0);
    expect(total).toBe(50);
    expect(final.revision - revision).toBe(50);
    for (let worker = 0; worker < 10; worker += 1) {
      expect(final.title.split(" ").filter((word) => word === String(worker))).toHaveLength(5);
    }
  });

  it("T4 one of 50 parallel writes with one ETag succeeds", async () => {
    const { id, revision } = await person.create();
    const tag = { "if-match": `"${revision}"` };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => person.patch(id, { title: `Claimed by ${n}` }, tag)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(49);
    expect(await person.read(id)).toMatchObject({
      revision: revision + 1,
      title: `Claimed by ${statuses.indexOf(200)}`,
    });
  });

  it("T4 50 parallel creations and changes take each revision once", async () => {
    const fresh = await someone();
    const first = await fresh.create();
    const work = Array.from({ length: 25 }, (_, n) => [fresh.create(), fresh.patch(first.id, { title: `Title ${n}` })]);
    await Promise.all(work.flat());
    const { results } = await env.DB.prepare("select revision from task where user_id = ? order by revision")
      .bind(fresh.id)
      .all<{ revision: number }>();
    const revisions = results.map(({ revision }) => revision);
    expect(new Set(revisions).size).toBe(26);
    expect(Math.max(...revisions)).toBe(51);
  });
});
