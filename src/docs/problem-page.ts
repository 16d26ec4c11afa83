/** The pages that a problem's `type` leads to (RFC 9457, section 3.1.1): what each code means, and what to do. */
import type { Context } from "hono";
import { html, raw } from "hono/html";
import { exampleOf } from "../http/openapi.ts";
import { refuse } from "../http/problem.ts";
import { type Kind, PROBLEMS } from "../http/problem-kinds.ts";

const STYLE = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 42rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .875rem; }
pre { padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .5rem; }
.status { margin: 0 0 1.5rem; opacity: .8; }
ul { padding-left: 1.25rem; }
a { color: LinkText; }`;

const KINDS: ReadonlyMap<string, Kind> = new Map(Object.entries(PROBLEMS));

/** The list of all problems. */
export function problemsPage(c: Context): Promise<Response> {
  const items = [...KINDS].map(
    ([code, { status, title }]) =>
      html`<li><a href="/problems/${code}">${title}</a> (${status} <code>${code}</code>)</li>`,
  );
  return page(c, "Problems of the Edge Tasks API", html`<ul>${items}</ul>`);
}

/** The page of one problem; 404 for a code that there is not. */
export async function problemPage(c: Context): Promise<Response> {
  const code = c.req.param("code") ?? "";
  const kind = KINDS.get(code);
  if (!kind) return refuse(c, "not_found");
  const example = exampleOf(code, kind);
  const content = html`<p class="status">Status ${kind.status}, code <code>${code}</code></p>
<p>${example.detail}</p>
<p>An answer looks like this:</p>
<pre>${JSON.stringify(example, null, 2)}</pre>
<p><a href="/problems">All problems</a> · <a href="/docs">All operations</a></p>`;
  return page(c, kind.title, content);
}

async function page(c: Context, title: string, content: unknown): Promise<Response> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(STYLE));
  const policy = `default-src 'none'; style-src 'sha256-${Buffer.from(digest).toString("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  const text = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} · Edge Tasks</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<h1>${title}</h1>
${content}
</body>
</html>
`;
  return c.html(text, 200, { "Content-Security-Policy": policy });
}
