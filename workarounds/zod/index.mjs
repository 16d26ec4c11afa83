/**
 * Zod without its translations. `@hono/zod-openapi` takes `z` as a value, so that a bundler keeps all of it: 60 KB
 * compressed of other languages. wrangler.toml puts this file in Zod's place for the bundle.
 * @see https://github.com/colinhacks/zod/issues/5665
 *
 * Delete this folder and its alias once Zod has an entry without translations, or `z` is no longer taken as a value.
 */
import * as z from "./exports.mjs";

export * from "./exports.mjs";
export { z, z as default };
