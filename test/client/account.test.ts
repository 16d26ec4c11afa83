import { beforeAll, describe, expect, it } from "vitest";
import { ALL_ENDPOINTS, ENDPOINTS } from "../../src/auth/endpoints.ts";
import { createTasksClient, type TasksClient } from "../../src/client/index.ts";
import { hastyApp } from "../support/apps.ts";
import { type Fetch, nextEmail, ORIGIN, PASSWORD } from "../support/client.ts";
import { createOutbox, linkIn } from "../support/outbox.ts";
import { createNetwork, failure, newcomer, signedUp } from "./network.ts";

const NEW_PASSWORD = "a new and better one";
const outbox = createOutbox();
const settings = { BETTER_AUTH_URL: ORIGIN, EMAIL_FROM: "tasks@tasks.test" };
let app: Fetch;
let verifyingApp: Fetch;

beforeAll(async () => {
  const bindings = { EMAIL: outbox.email };
  ({ fetch: app } = await hastyApp({ vars: settings, bindings }));
  ({ fetch: verifyingApp } = await hastyApp({ vars: { ...settings, REQUIRE_EMAIL_VERIFICATION: "true" }, bindings }));
});

const tokenMailedTo = async (email: string, subject: string) =>
  linkIn(await outbox.mailTo(email, subject)).hash.slice(1);

/** Somebody new, signed in with a client that tells what happens to its session. */
async function person() {
  const account = newcomer();
  const told: (string | undefined)[] = [];
  const network = createNetwork(app);
  const client = createTasksClient({ baseUrl: ORIGIN, fetch: network.fetch, onSession: (value) => told.push(value) });
  const user = await client.signUp(account);
  if (!user) throw new Error("not signed in");
  return { account, client, network, told, user };
}

/** The same person on another device. */
async function device({ email, password }: { email: string; password: string }): Promise<TasksClient> {
  const client = createTasksClient({ baseUrl: ORIGIN, fetch: createNetwork(app).fetch });
  await client.signIn({ email, password });
  return client;
}

const isSignedIn = async (client: TasksClient) => (await client.session()) !== undefined;

describe("P1 the account of a client", () => {
  it("P1 says who is signed in, and that nobody is", async () => {
    const { account, client, user } = await person();
    const session = await client.session();
    expect(session?.user).toEqual(user);
    expect(user).toEqual({
      id: expect.any(String),
      name: account.name,
      email: account.email,
      emailVerified: false,
      image: null,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect(session?.session).toEqual({
      id: expect.any(String),
      token: expect.any(String),
      userId: user.id,
      ipAddress: expect.any(String),
      userAgent: expect.any(String),
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
      expiresAt: expect.any(String),
    });
    await client.signOut();
    expect(await client.session()).toBeUndefined();
    await client.signOut();
    expect(await client.signIn(account)).toEqual(user);
  });

  it("P1 lists the sessions, and ends one, the others or all of them", async () => {
    const { account, client, told } = await person();
    const [phone, tablet] = [await device(account), await device(account)];
    const { token } = (await phone.session())?.session ?? {};
    const sessions = await client.account.sessions();
    expect(sessions).toHaveLength(3);
    expect(sessions).toContainEqual((await client.session())?.session);
    await client.account.revokeSession({ token: token ?? "" });
    expect([await isSignedIn(phone), await isSignedIn(tablet)]).toEqual([false, true]);
    await client.account.revokeOtherSessions();
    expect([await isSignedIn(client), await isSignedIn(tablet)]).toEqual([true, false]);
    const last = await device(account);
    await client.account.revokeSessions();
    expect([await isSignedIn(client), await isSignedIn(last)]).toEqual([false, false]);
    expect(told).toEqual([expect.any(String), undefined]);
  });

  it("P1 changes the password, and continues in the session that replaces all others", async () => {
    const { account, client, network, told } = await person();
    const phone = await device(account);
    const wrong = { currentPassword: "not the password", newPassword: NEW_PASSWORD };
    expect(await failure(client.account.changePassword(wrong))).toMatchObject({ reason: "INVALID_PASSWORD" });
    await client.account.changePassword({ currentPassword: PASSWORD, newPassword: NEW_PASSWORD });
    expect([await isSignedIn(phone), told.length]).toEqual([true, 1]);
    await client.account.changePassword({
      currentPassword: NEW_PASSWORD,
      newPassword: PASSWORD,
      revokeOtherSessions: true,
    });
    expect([await isSignedIn(phone), told.length]).toEqual([false, 2]);
    expect(await client.tasks.list()).toMatchObject({ data: [] });
    expect(network.count("GET", "/api/auth/token")).toBe(0);
    const again = createTasksClient({ baseUrl: ORIGIN, fetch: createNetwork(app).fetch, session: told[1] });
    expect((await again.session())?.user.email).toBe(account.email);
  });

  it("P1 resets a password and confirms an address with the tokens of mailed links", async () => {
    const { account, client } = await person();
    await client.account.sendVerificationEmail({ email: account.email });
    const token = await tokenMailedTo(account.email, "Confirm");
    await client.account.verifyEmail(token);
    expect((await client.session())?.user.emailVerified).toBe(true);
    expect(await failure(client.account.verifyEmail(token))).toMatchObject({ reason: "INVALID_TOKEN" });
    await client.account.requestPasswordReset({ email: account.email });
    await client.account.resetPassword({
      token: await tokenMailedTo(account.email, "Reset"),
      newPassword: NEW_PASSWORD,
    });
    expect(await failure(client.tasks.list())).toMatchObject({ code: "session_ended" });
    await client.signIn({ email: account.email, password: NEW_PASSWORD });
  });

  it("P1 changes the address, the name and the picture, and deletes the account", async () => {
    const { account, client, told } = await person();
    const newEmail = nextEmail();
    await client.account.changeEmail({ newEmail });
    await client.account.verifyEmail(await tokenMailedTo(newEmail, ""));
    const image = "https://example.com/ada.png";
    await client.account.update({ name: "Ada", image });
    expect((await client.session())?.user).toMatchObject({ email: newEmail, name: "Ada", image });
    await client.account.update({ image: null });
    expect((await client.session())?.user).toMatchObject({ name: "Ada", image: null });
    const wrong = await failure(client.account.delete({ password: "not the password" }));
    expect([wrong.code, await isSignedIn(client)]).toEqual(["account_refused", true]);
    await client.account.delete({ password: PASSWORD });
    expect(told).toEqual([expect.any(String), undefined]);
    expect((await failure(client.signIn({ ...account, email: newEmail }))).status).toBe(401);
  });

  it("P1 signing up returns nobody where the address has to be confirmed first", async () => {
    const told: unknown[] = [];
    const network = createNetwork(verifyingApp);
    const client = createTasksClient({ baseUrl: ORIGIN, fetch: network.fetch, onSession: (value) => told.push(value) });
    expect(await client.signUp(newcomer())).toBeUndefined();
    expect([told, await client.session()]).toEqual([[], undefined]);
  });

  it("P1 an account call of a session that has ended says so once", async () => {
    const { account, client, told } = await person();
    await (await device(account)).account.revokeOtherSessions();
    for (let call = 0; call < 2; call += 1) {
      expect(await failure(client.account.sessions())).toMatchObject({ code: "session_ended", status: 401 });
    }
    expect(told).toEqual([expect.any(String), undefined]);
  });

  it("P1 reaches every account endpoint but the one that checks the server", async () => {
    const { client, network } = await signedUp();
    const { account } = client;
    const token = "x";
    const calls = [
      client.signIn({ email: nextEmail(), password: PASSWORD }),
      ...[client.session(), account.sessions(), account.revokeSession({ token }), account.revokeOtherSessions()],
      account.changePassword({ currentPassword: "x", newPassword: "x" }),
      account.requestPasswordReset({ email: nextEmail() }),
      account.resetPassword({ token, newPassword: NEW_PASSWORD }),
      account.sendVerificationEmail({ email: nextEmail() }),
      ...[account.verifyEmail(token), account.changeEmail({ newEmail: nextEmail() }), account.update({ name: "x" })],
      account.delete({ password: "x" }),
    ];
    await Promise.allSettled(calls);
    await Promise.allSettled([client.account.revokeSessions(), client.tasks.list(), client.signOut()]);
    const reached = new Set(network.sent.map(({ method, path }) => `${method} ${path.replace("/api/auth", "")}`));
    const open = ALL_ENDPOINTS.filter(({ path }) => path !== ENDPOINTS.ok.path && path !== ENDPOINTS.getToken.path);
    expect(open.map(({ method, path }) => `${method} ${path}`).filter((each) => !reached.has(each))).toEqual([]);
  });
});
