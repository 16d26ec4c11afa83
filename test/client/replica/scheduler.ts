/** Runs everything that waits, one step at a time, in an order that a seed decides. */
import { setImmediate as turn } from "node:timers/promises";

export type Random = {
  /** A whole number below `n`. */
  below(n: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  uuid(): string;
};

/** @see https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (mulberry32) */
export function createRandom(seed: number): Random {
  let state = seed;
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
  const below = (n: number) => Math.floor(next() * n);
  return {
    below,
    chance: (probability) => next() < probability,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    uuid: () => {
      const hex = Array.from({ length: 32 }, (_, at) => (at === 12 ? "7" : at === 16 ? "8" : below(16).toString(16)));
      return hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    },
  };
}

/** Something that may be killed: what it waits for then never comes. */
export type Owner = { isDead: boolean };

type Step = { owner: Owner; isSleep: boolean; run: () => void };

export type Scheduler = ReturnType<typeof createScheduler>;

export function createScheduler(random: Random) {
  let steps: Step[] = [];
  const outside = new Set<Promise<unknown>>();

  return {
    /** Work that this scheduler does not order, such as a real request: the next step waits for it. */
    async outside<Result>(work: Promise<Result>): Promise<Result> {
      outside.add(work);
      return work.finally(() => outside.delete(work));
    },

    /** Waits until the scheduler comes to this. */
    wait: (owner: Owner, isSleep = false): Promise<void> => new Promise((run) => steps.push({ owner, isSleep, run })),

    /** Runs one thing that waits; sleepers only now and then while others wait. Returns whether there was one. */
    async step(): Promise<boolean> {
      steps = steps.filter(({ owner }) => !owner.isDead);
      const awake = steps.filter(({ isSleep }) => !isSleep);
      const ready = awake.length > 0 && !random.chance(0.02) ? awake : steps;
      if (ready.length === 0) return false;
      const next = random.pick(ready);
      steps.splice(steps.indexOf(next), 1);
      next.run();
      await turn();
      while (outside.size > 0) {
        await Promise.allSettled(outside);
        await turn();
      }
      return true;
    },
  };
}
