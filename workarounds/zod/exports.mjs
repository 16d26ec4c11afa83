/** What index.mjs exports: all of Zod that is used. The files are named by path, since the alias covers the package. */
export * from "../../node_modules/zod/v4/classic/checks.js";
export * as coerce from "../../node_modules/zod/v4/classic/coerce.js";
export { ZodFirstPartyTypeKind } from "../../node_modules/zod/v4/classic/compat.js";
export * from "../../node_modules/zod/v4/classic/errors.js";
export * as iso from "../../node_modules/zod/v4/classic/iso.js";
export { ZodISODate, ZodISODateTime, ZodISODuration, ZodISOTime } from "../../node_modules/zod/v4/classic/iso.js";
export * from "../../node_modules/zod/v4/classic/parse.js";
export * from "../../node_modules/zod/v4/classic/schemas.js";
export {
  $brand,
  $input,
  $output,
  clone,
  config,
  globalRegistry,
  NEVER,
  regexes,
  registry,
  util,
} from "../../node_modules/zod/v4/core/index.js";
export * as core from "./core.mjs";
