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
            refuseBadText("body", c.body);
            refuseBadText("query", c.query);
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
}

function refuseBadText(place: string, input: unknown): void {
  if (typeof input !== "object" || input === null) return;
  for (const [name, value] of Object.entries(input)) {
    const problem = typeof value === "string" ? problemOf(name, value) : undefined;
    if (problem) throw new APIError("BAD_REQUEST", { code: "INVALID_TEXT", message: `[${place}.${name}] ${problem}` });
  }
}

function problemOf(name: string, text: string): string | undefined {
  if (text.includes("\0") || !text.isWellFormed()) return "must not contain NUL or lone surrogates";
  const max = MAX_CHARACTERS[name] ?? MAX_OTHER_CHARACTERS;
  if ([...text].length > max) return `must be at most ${max} characters long`;
  if (name === "image" && !/^https?:\/\//i.test(text)) return "must be an http or https address";
  return undefined;
}
