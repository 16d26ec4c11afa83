/**
 * What an account endpoint takes: fields that it knows, text that D1 can carry unaltered and no more of it than makes sense,
 * and addresses to be led on to that the operator has listed.
 */
import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthMiddleware } from "better-auth/api";
import { currentSession } from "./current-session.ts";
import { AUTH_ENDPOINTS } from "./endpoints.ts";

const MAX_CHARACTERS: Record<string, number> = { name: 255, email: 254, newEmail: 254, image: 2048 };
const MAX_OTHER_CHARACTERS = 4096;

const FIELDS: ReadonlyMap<string, readonly string[]> = new Map(
  AUTH_ENDPOINTS.flatMap((endpoint) => ("fields" in endpoint ? [[endpoint.path, endpoint.fields]] : [])),
);
/** Fields that say where somebody is led on, and the code with which a bad one is refused. */
const CALLBACKS: Record<string, string> = { callbackURL: "INVALID_CALLBACK_URL", redirectTo: "INVALID_REDIRECT_URL" };
const MAX_NAMED_FIELDS = 10;

/** @param callbackUrls where `callbackURL` and `redirectTo` may lead, word for word */
export function inputPolicy(callbackUrls: readonly string[]) {
  return {
    id: "input-policy",
    hooks: {
      before: [
        {
          matcher: () => true,
          handler: createAuthMiddleware(async (c) => {
            refuseBadText("body", c.body);
            refuseBadText("query", c.query);
            refuseOtherThanText(c.path, c.body);
            const refusal = unknownFields(c.body, FIELDS.get(c.path));
            // Whoever has no session where one is needed is told that first, by the endpoint.
            if (refusal && (c.path === "/sign-up/email" || (await currentSession(c)))) throw refusal;
            refuseCallbacks(callbackUrls, { ...c.query, ...c.body });
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}

/** The refusal of fields that there are none of; Better Auth would ignore them in silence. */
function unknownFields(body: unknown, known: readonly string[] | undefined): APIError | undefined {
  if (!known || typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
  const unknown = Object.keys(body).filter((name) => !known.includes(name));
  if (unknown.length === 0) return undefined;
  const named = unknown.slice(0, MAX_NAMED_FIELDS).map((name) => `[body.${name.slice(0, 50)}]`);
  const more = unknown.length > named.length ? ` and ${unknown.length - named.length} more` : "";
  const message = `${named.join(", ")}${more}: no such field. This endpoint takes: ${known.join(", ")}`;
  return new APIError("BAD_REQUEST", { code: "UNKNOWN_FIELD", message });
}

/** What is compared is what was sent: no reader of the address can take it for another one. */
function refuseCallbacks(callbackUrls: readonly string[], input: Record<string, unknown>): void {
  for (const [name, code] of Object.entries(CALLBACKS)) {
    const sent = input[name];
    if (sent === undefined || sent === "" || sent === "/") continue;
    if (typeof sent === "string" && callbackUrls.includes(sent)) continue;
    const message = `[${name}] leads to no address that the operator lists in CALLBACK_URLS`;
    throw new APIError("FORBIDDEN", { code, message });
  }
}

/** Better Auth takes any text for a name, and hands on to the database whatever else it is sent at /update-user. */
function refuseOtherThanText(path: string, body: unknown): void {
  if (typeof body !== "object" || body === null) return;
  const { name = "", image = null } = body as { name?: unknown; image?: unknown };
  if (typeof name === "string" && "name" in body && isBlank(name)) throw invalid("[body.name] must not be blank");
  if (path !== "/update-user") return;
  if (typeof name !== "string") throw invalid("[body.name] must be text");
  if (typeof image !== "string" && image !== null) throw invalid("[body.image] must be text or null");
}

/** Spaces, characters that show nothing, and marks without a letter to stand on. */
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
  const max = MAX_CHARACTERS[name] ?? MAX_OTHER_CHARACTERS;
  if ([...text].length > max) return `must be at most ${max} characters long`;
  if (name === "image" && !/^https?:\/\//i.test(text)) return "must be an http or https address";
  return undefined;
}
