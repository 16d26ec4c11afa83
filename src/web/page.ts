/** The frame of every page: head, style in light and dark, and a policy that allows nothing foreign. */
import type { Context } from "hono";
import { html, raw } from "hono/html";
import { NONCE, secureHeaders } from "hono/secure-headers";

/** Allows scripts and styles with the nonce only, requests to this origin only, and no frames. */
export const pagePolicy = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: [NONCE],
    styleSrc: [NONCE],
    connectSrc: ["'self'"],
    formAction: ["'none'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

const STYLE = `
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; --accent: light-dark(#1d4ed8, #93b4ff); --on-accent: light-dark(#fff, #0b1220); --line: light-dark(#767d8a, #8b93a3); --bad: light-dark(#b42318, #ff9c8f); }
body { margin: 0; min-height: 100dvh; display: grid; place-items: center; background: light-dark(#f6f7f9, #11141a); color: light-dark(#16191f, #e8eaee); }
main { box-sizing: border-box; width: min(100%, 26rem); padding: 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 1rem; text-wrap: balance; }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
input { box-sizing: border-box; width: 100%; padding: .625rem .75rem; font: inherit; color: inherit; background: light-dark(#fff, #1a1f28); border: 1px solid var(--line); border-radius: .5rem; }
button { margin-top: 1rem; width: 100%; padding: .75rem; font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0; border-radius: .5rem; cursor: pointer; }
button:disabled { opacity: .6; cursor: progress; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.hint { margin: .25rem 0 0; font-size: .875rem; }
[role=status] { margin-top: 1rem; min-height: 1.5em; }
[role=status].bad { color: var(--bad); }
`;

/**
 * Answers with a page.
 * @param body markup; `html` escapes its values
 * @param script a module; never built from input
 */
export function page(c: Context, title: string, body: ReturnType<typeof html>, script: string) {
  const nonce = c.get("secureHeadersNonce");
  c.header("Cache-Control", "no-store");
  return c.html(html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="referrer" content="no-referrer">
    <title>${title} · Edge Tasks</title>
    <style nonce="${nonce}">${raw(STYLE)}</style>
  </head>
  <body>
    <main>
      <h1>${title}</h1>
      ${body}
      <p role="status" aria-live="polite"></p>
      <noscript><p>This page needs JavaScript.</p></noscript>
    </main>
    <script type="module" nonce="${nonce}">${raw(script)}</script>
  </body>
</html>
`);
}
