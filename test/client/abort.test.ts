import { describe, expect, it, vi } from "vitest";
import { createTasksClient, type Fetch, type TasksClient } from "../../src/client/index.ts";
import { ORIGIN } from "../support/client.ts";
import { createNetwork, failure, newcomer, signedUp, TASKS } from "./network.ts";

const never = new Promise<never>(() => {});
const REASON = new Error("The user left the page");

/** A client whose requests hang, once they are let out of the first. */
function hanging(fetch: Fetch = () => never) {
  let arrived = () => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const client = createTasksClient({
    baseUrl: ORIGIN,
    session: crypto.randomUUID(),
    fetch: (url, init) => {
      arrived();
      return fetch(url, init);
    },
  });
  return { client, arrival };
}

describe("P1 aborting a call", () => {
  const calls: [string, (client: TasksClient, signal: AbortSignal) => Promise<unknown>][] = [
    ["signUp", (client, signal) => client.signUp(newcomer(), { signal })],
    ["signIn", (client, signal) => client.signIn(newcomer(), { signal })],
    ["signOut", (client, signal) => client.signOut({ signal })],
    ["session", (client, signal) => client.session({ signal })],
    ["sessions", ({ account }, signal) => account.sessions({ signal })],
    ["revokeSession", ({ account }, signal) => account.revokeSession({ token: "x" }, { signal })],
    ["revokeOtherSessions", ({ account }, signal) => account.revokeOtherSessions({ signal })],
    ["revokeSessions", ({ account }, signal) => account.revokeSessions({ signal })],
    [
      "changePassword",
      ({ account }, signal) => account.changePassword({ currentPassword: "x", newPassword: "y" }, { signal }),
    ],
    ["requestPasswordReset", ({ account }, signal) => account.requestPasswordReset({ email: "x" }, { signal })],
    ["resetPassword", ({ account }, signal) => account.resetPassword({ token: "x", newPassword: "y" }, { signal })],
    ["sendVerificationEmail", ({ account }, signal) => account.sendVerificationEmail({ email: "x" }, { signal })],
    ["verifyEmail", ({ account }, signal) => account.verifyEmail("x", { signal })],
    ["changeEmail", ({ account }, signal) => account.changeEmail({ newEmail: "x" }, { signal })],
    ["update", ({ account }, signal) => account.update({ name: "x" }, { signal })],
    ["delete (account)", ({ account }, signal) => account.delete({ password: "x" }, { signal })],
    ["usage", (client, signal) => client.usage({ signal })],
    ["list", ({ tasks }, signal) => tasks.list({}, { signal })],
    ["all", ({ tasks }, signal) => tasks.all({}, { signal }).next()],
    ["get", ({ tasks }, signal) => tasks.get("x", { signal })],
    ["create", ({ tasks }, signal) => tasks.create({ title: "x" }, { signal })],
    ["replace", ({ tasks }, signal) => tasks.replace("x", { title: "x" }, { signal })],
    ["change", ({ tasks }, signal) => tasks.change("x", { title: "x" }, { signal })],
    ["complete", ({ tasks }, signal) => tasks.complete("x", true, { signal })],
    ["delete", ({ tasks }, signal) => tasks.delete("x", { signal })],
    ["restore", ({ tasks }, signal) => tasks.restore("x", { signal })],
    ["batch", ({ tasks }, signal) => tasks.batch([], { signal })],
    ["changes", ({ tasks }, signal) => tasks.changes(undefined, { signal }).next()],
    ["export", ({ tasks }, signal) => tasks.export("csv", { signal })],
    ["import", ({ tasks }, signal) => tasks.import("", { format: "csv", signal })],
  ];

  it.each(calls)("P1 %s can be aborted, and aborted before it sends nothing", async (_name, call) => {
    const { client, arrival } = hanging();
    const controller = new AbortController();
    const failed = failure(call(client, controller.signal));
    await arrival;
    controller.abort(REASON);
    expect(await failed).toMatchObject({ code: "aborted", status: 0, cause: REASON });
    const fetch = vi.fn<Fetch>(() => never);
    const idle = createTasksClient({ baseUrl: ORIGIN, session: crypto.randomUUID(), fetch });
    const early = await failure(call(idle, controller.signal));
    expect(early).toMatchObject({ code: "aborted", outcomeUnknown: false, cause: REASON });
    expect(fetch).not.toHaveBeenCalled();
  });

  it("P1 aborts the request itself, and says whether it may have been carried out", async () => {
    const { client, network } = await signedUp();
    for (const [call, outcomeUnknown] of [
      [(signal: AbortSignal) => client.tasks.list({}, { signal }), false],
      [(signal: AbortSignal) => client.tasks.create({ title: "x" }, { signal }), true],
      [(signal: AbortSignal) => client.tasks.complete("x", true, { signal }), true],
    ] as const) {
      const controller = new AbortController();
      let sent: Request | undefined;
      network.change = (request) => {
        sent = request;
        controller.abort(REASON);
        return never;
      };
      expect(await failure(call(controller.signal))).toMatchObject({ code: "aborted", outcomeUnknown });
      expect(sent?.signal.aborted).toBe(true);
    }
  });

  it("P1 aborts the pause before the next attempt", async () => {
    const { client, network } = await signedUp();
    const controller = new AbortController();
    network.change = () => {
      setTimeout(() => controller.abort(REASON), 10);
      throw new TypeError("network down");
    };
    // The first pause then takes as long as it can.
    const random = vi.spyOn(Math, "random").mockReturnValue(0.999);
    const start = Date.now();
    expect(await failure(client.tasks.list({}, { signal: controller.signal }))).toMatchObject({ code: "aborted" });
    random.mockRestore();
    expect(Date.now() - start).toBeLessThan(150);
    expect(network.count("GET", TASKS)).toBe(0);
  });

  it("P1 leaves no timer and no listener, whether a call succeeds, fails or is aborted", async () => {
    const timers = new Set<unknown>();
    const { setTimeout: set, clearTimeout: clear } = globalThis;
    const { client, network } = await signedUp();
    const { signal } = new AbortController();
    const listeners = new Set<unknown>();
    const counted = {
      aborted: false,
      reason: REASON,
      addEventListener: (_: "abort", listener: () => void) => listeners.add(listener),
      removeEventListener: (_: "abort", listener: () => void) => listeners.delete(listener),
    };
    vi.stubGlobal("setTimeout", (callback: () => void, ms: number) => {
      const timer: unknown = set(() => {
        timers.delete(timer);
        callback();
      }, ms);
      timers.add(timer);
      return timer;
    });
    vi.stubGlobal("clearTimeout", (timer: Parameters<typeof clear>[0]) => {
      timers.delete(timer);
      clear(timer);
    });
    try {
      await client.tasks.list({}, { signal: counted });
      expect(timers.size + listeners.size).toBe(0);
      network.change = () => never;
      const aborted = failure(client.tasks.list({}, { signal: counted }));
      await vi.waitUntil(() => timers.size > 0);
      for (const abort of listeners) (abort as () => void)();
      expect((await aborted).code).toBe("aborted");
      network.change = () => Promise.reject(new TypeError("network down"));
      expect((await failure(client.tasks.complete("x", true, { signal }))).code).toBe("network");
      await failure(client.tasks.list({}, { signal: counted }));
      expect([timers.size, listeners.size]).toEqual([0, 0]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("P1 aborting one of two calls that wait for an access token leaves the other its token; aborting both ends the request", async () => {
    const sessions: (string | undefined)[] = [];
    await signedUp(createNetwork(), { onSession: (value) => sessions.push(value) });
    const network = createNetwork();
    // Written in another way, the address has no token yet.
    const client = createTasksClient({ baseUrl: `${ORIGIN}/`, session: sessions[0], fetch: network.fetch });
    const asked: Request[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    network.change = async (request) => {
      asked.push(request);
      await held;
      return request;
    };
    const [first, second] = [new AbortController(), new AbortController()];
    const both = [first, second].map(({ signal }) => client.tasks.list({}, { signal }));
    const failures = both.map(failure);
    await vi.waitUntil(() => asked.length === 1);
    first.abort();
    expect((await failures[0])?.code).toBe("aborted");
    expect(asked[0]?.signal.aborted).toBe(false);
    second.abort();
    expect((await failures[1])?.code).toBe("aborted");
    expect(asked[0]?.signal.aborted).toBe(true);
    release();
    expect(await client.tasks.list()).toMatchObject({ data: [] });
    expect(asked.map(({ url }) => new URL(url).pathname)).toEqual(["/api/auth/token", "/api/auth/token", TASKS]);
  });

  it("P1 a stream that is aborted after its response breaks off", async () => {
    const { client, network } = await signedUp();
    const controller = new AbortController();
    let sent: Request | undefined;
    network.change = (request) => {
      sent = request;
      return request;
    };
    const file = await client.tasks.export("csv", { signal: controller.signal });
    expect(sent?.signal.aborted).toBe(false);
    controller.abort(REASON);
    expect(sent?.signal.aborted).toBe(true);
    await file.body?.getReader().cancel();
  });
});
