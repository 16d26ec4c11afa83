/**
 * Checks what account endpoints are sent: known fields, text of a bounded length that D1 stores unchanged, and callback
 * addresses that the operator has listed.
 */
import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthMiddleware } from "better-auth/api";
import { ENDPOINTS, endpointAt } from "./endpoints.ts";
import { on } from "./hooks.ts";
import { currentSession } from "./workarounds/current-session.ts";

const MAX_CHARACTERS = new Map(Object.entries({ name: 255, email: 254, newEmail: 254, image: 2048 }));
const MAX_OTHER_CHARACTERS = 4096;

/** Fields with a callback address, and the code with which a bad one is refused. */
const CALLBACKS: Record<string, string> = { callbackURL: "INVALID_CALLBACK_URL", redirectTo: "INVALID_REDIRECT_URL" };
const MAX_NAMED_FIELDS = 10;

/** @param callbackUrls the addresses that `callbackURL` and `redirectTo` may have, word for word */
export function inputPolicy(callbackUrls: readonly string[]) {
  return {
    id: "input-policy",
    hooks: {
      before: [
        on(
          () => true,
          createAuthMiddleware(async (c) => {
            const endpoint = endpointAt(c.path);
            refuseBadText("body", c.body);
            refuseBadText("query", c.query);
            refuseOtherThanText(c.path, c.body);
            const refusal = unknownFields(c.body, endpoint?.fields);
            // A missing session comes first: the endpoint itself refuses it.
            if (refusal && (endpoint?.session === "none" || (await currentSession(c)))) throw refusal;
            refuseCallbacks(callbackUrls, { ...c.query, ...c.body });
          }),
        ),
      ],
    },
  } satisfies BetterAuthPlugin;
}

/** The refusal of unknown fields. Better Auth would ignore them. */
function unknownFields(body: unknown, known: readonly string[] | undefined): APIError | undefined {
  if (!known || typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
  const unknown = Object.keys(body).filter((name) => !known.includes(name));
  if (unknown.length === 0) return undefined;
  const named = unknown.slice(0, MAX_NAMED_FIELDS).map((name) => `[body.${name.slice(0, 50)}]`);
  const more = unknown.length > named.length ? ` and ${unknown.length - named.length} more` : "";
  const message = `${named.join(", ")}${more}: unknown field. This endpoint accepts: ${known.join(", ")}`;
  return new APIError("BAD_REQUEST", { code: "UNKNOWN_FIELD", message });
}

/** Compares the text as it was sent, so that no other reader can take it for another address. */
function refuseCallbacks(callbackUrls: readonly string[], input: Record<string, unknown>): void {
  for (const [name, code] of Object.entries(CALLBACKS)) {
    const sent = input[name];
    if (sent === undefined || sent === "" || sent === "/") continue;
    if (typeof sent === "string" && callbackUrls.includes(sent)) continue;
    const message = `[${name}] must be an address that the operator lists in CALLBACK_URLS`;
    throw new APIError("FORBIDDEN", { code, message });
  }
}

/** Better Auth accepts any text as a name, and writes any value that /update-user is sent to the database. */
function refuseOtherThanText(path: string, body: unknown): void {
  if (typeof body !== "object" || body === null) return;
  const { name = "", image = null } = body as { name?: unknown; image?: unknown };
  if (typeof name === "string" && "name" in body && isBlank(name)) throw invalid("[body.name] must not be blank");
  if (path !== ENDPOINTS.updateUser.path) return;
  if (typeof name !== "string") throw invalid("[body.name] must be text");
  if (typeof image !== "string" && image !== null) throw invalid("[body.image] must be text or null");
}

/** Whether a text shows nothing: spaces, invisible characters, and marks without a letter. */
function isBlank(text: string): boolean {
  return text.replaceAll(/[\s\p{C}\p{M}\p{Default_Ignorable_Code_Point}\u{1D159}\u2800]/gu, "") === "";
}

function invalid(message: string): APIError {
  return new APIError("BAD_REQUEST", { code: "INVALID_TEXT", message });
}

function refuseBadText(place: string, input: unknown): void {
  if (typeof input !== "object" || input === null) return;
  for (const [name, value] of Object.entries(input)) {
    const problem = typeof value === "string" ? problemOf(name, value) : undefined;
    if (problem) throw invalid(`[${place}.${name}] ${problem}`);
  }
}

function problemOf(name: string, text: string): string | undefined {
  if (text.includes("\0") || !text.isWellFormed()) return "must not contain NUL or lone surrogates";
  const max = MAX_CHARACTERS.get(name) ?? MAX_OTHER_CHARACTERS;
  if ([...text].length > max) return `must be at most ${max} characters long`;
  if (name === "image" && !/^https?:\/\//i.test(text)) return "must be an http or https address";
  return undefined;
}
