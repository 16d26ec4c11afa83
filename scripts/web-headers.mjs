// The headers of the pages, as Cloudflare reads them from dist/web/_headers. The Worker sets those of its own answers.

/** Allows our own files only, and no text as code: `service-worker` names the one policy that may make a script's address. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types service-worker",
].join("; ");

/** Swagger UI sets styles by script, has icons in data URLs, and writes markup from text. */
const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** A later rule adds to an earlier one, unless it removes the header first, with `!`. */
export function writeHeaders() {
  return `/*
  Content-Security-Policy: ${POLICY}
  X-Content-Type-Options: nosniff
  Referrer-Policy: no-referrer
  Strict-Transport-Security: max-age=31536000; includeSubDomains
  X-Frame-Options: DENY
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Resource-Policy: same-origin
  Permissions-Policy: camera=(), microphone=(), geolocation=()
  Cache-Control: no-cache

/docs
  ! Content-Security-Policy
  Content-Security-Policy: ${DOCS_POLICY}

/assets/*
  ! Cache-Control
  Cache-Control: public, max-age=31536000, immutable
`;
}
