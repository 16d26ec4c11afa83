/** The replica reads fields as the server does: what one accepts, the other accepts, in the same normal form. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { newFields } from "../../../src/client/replica/fields.ts";
import { newTaskSchema } from "../../../src/tasks/model.ts";

const piece = fc.constantFrom(
  ...[
    "a",
    "A",
    " ",
    "\t",
    "\u00a0",
    "\ufeff",
    "\0",
    "\ud800",
    "\u{1f469}",
    "\u0301",
    "\uff9e",
    "ß",
    "ς",
    "Σ",
    "İ",
    "\u3000",
  ],
  ..."x".repeat(3),
  "e\u0301".repeat(20),
);
const text = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(""));
const long = fc.integer({ min: 0, max: 300 }).map((n) => "\u{1f469}".repeat(n));
const part = (min: number, max: number) => fc.integer({ min, max }).map((n) => String(n).padStart(2, "0"));
const day = fc
  .tuple(fc.constantFrom("0000", "0001", "1900", "2024", "2026", "9999"), part(0, 13), part(0, 32))
  .map((parts) => parts.join("-"));
const moment = fc
  .tuple(day, part(0, 25), part(0, 60), part(0, 61), fc.constantFrom("", ".5", ".123", ".1234"))
  .chain(([date, h, m, s, fraction]) =>
    fc
      .constantFrom("Z", "z", "", "+01:00", "-12:30", "+23:59", "+24:00", "-00:00", "+0100")
      .map((zone) => `${date}T${h}:${m}:${s}${fraction}${zone}`),
  );
const task = fc.record(
  {
    title: fc.oneof(text, long),
    description: fc.oneof(fc.constant(null), text, long),
    due: fc.oneof(fc.constant(null), day, moment, text),
    tags: fc.array(fc.oneof(text, fc.constantFrom("home", "Home", "ｈome")), { maxLength: 22 }),
  },
  { requiredKeys: ["title"] },
);

it("P6 T2 the replica and the server agree on what a task may be, and on its normal form", () => {
  fc.assert(
    fc.property(task, (input) => {
      // The replica cuts the blanks around tags, which the server refuses.
      const tags = input.tags?.map((tag) => tag.trim());
      const theirs = newTaskSchema.safeParse({ ...input, ...(tags && { tags }) });
      let ours: unknown;
      try {
        ours = newFields(input);
      } catch {
        ours = undefined;
      }
      expect(ours).toEqual(theirs.success ? theirs.data : undefined);
    }),
    { numRuns: 3000 },
  );
});
