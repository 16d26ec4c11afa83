/** What text an account endpoint takes: what D1 can carry unaltered, and no more of it than makes sense. */
import type { BetterAuthPlugin } from "better-auth";
import { APIError, createAuthMiddleware } from "better-auth/api";

const MAX_CHARACTERS: Record<string, number> = { name: 255, email: 254, newEmail: 254, image: 2048 };
const MAX_OTHER_CHARACTERS = 4096;

export function inputPolicy() {
  return {
    id: "input-policy",
    hooks: {
      before: [
        {
          matcher: () => true,
          handler: createAuthMiddleware(async (c) => {
            if (c.path === "/update-user") refuseOtherThanText(c.body);
            refuseBadText("body", c.body);
            refuseBadText("query", c.query);
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}

/** Here Better Auth hands on to the database whatever it is sent. */
function refuseOtherThanText(body: unknown): void {
  if (typeof body !== "object" || body === null) return;
  const { name = "", image = null } = body as { name?: unknown; image?: unknown };
  if (typeof name !== "string") throw invalid("[body.name] must be text");
  if ("name" in body && name.trim() === "") throw invalid("[body.name] must not be blank");
  if (typeof image !== "string" && image !== null) throw invalid("[body.image] must be text or null");
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
