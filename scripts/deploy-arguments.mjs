// Reads the arguments of `npm run deploy`: whether they deploy, and where to.
// Follows Wrangler's rules for options, and rejects an option that Wrangler could read in another way.

/** Options that every Wrangler command takes: they choose the folder, the configuration, the environment and the account. */
const VALUE_OPTIONS = ["config", "cwd", "env", "profile"];
const LIST_OPTION = "env-file";
/** Options with which `wrangler deploy` deploys nothing. */
const DRY_OPTIONS = ["dry-run", "help", "version"];
/** Options that choose a target for `wrangler deploy` only, not for the steps before it. */
const UNSUPPORTED_OPTIONS = ["dispatch-namespace", "temporary"];
/** @type {Record<string, string>} */
const LONG_NAMES = { c: "config", e: "env", h: "help", v: "version" };

/**
 * Options of `wrangler deploy` that npm takes when no `--` precedes them: the script then sees them only as variables
 * `npm_config_*`. npm reads `-c` as `call`, and announces that it will no longer read `-e` as `before`. Options that npm
 * also has, such as `yes` and `tag`, are missing here, because their variables may come from npm's own settings.
 */
const OPTIONS_TAKEN_BY_NPM = [...VALUE_OPTIONS, LIST_OPTION, ...UNSUPPORTED_OPTIONS].concat(
  `alias assets bundle call compatibility-date compatibility-flags containers-rollout define domains dry-run dryrun e
   jsx-factory jsx-fragment keep-vars keepvars latest legacy-env logpush metafile minify name no-bundle old-asset-ttl outdir
   outfile routes secrets-file strict triggers tsconfig upload-source-maps var`.split(/\s+/),
);

/** How npm's log writes -e (expanded) and -estaging, which npm takes. */
const SHORT_ENV_IN_NPM = /^(?:--before|-e.*)$/;

/** @typedef {{ name: string, values: string[] }} Option */

/**
 * @typedef {object} DeployArguments
 * @property {boolean} deploys false with --dry-run, --help or --version
 * @property {string[]} withoutDryRun all arguments except --dry-run in any form
 * @property {string[]} shared the arguments that every Wrangler command takes
 * @property {string[]} sharedWithoutEnv the same without --env and --env-file
 * @property {string | undefined} env the environment's name; empty for the top level, even if CLOUDFLARE_ENV is set
 * @property {string | undefined} config
 * @property {string | undefined} cwd
 * @property {string[]} envFiles the .env files that Wrangler reads; later files win
 */

/**
 * @param {string[]} args
 * @returns {DeployArguments}
 */
export function parseArguments(args) {
  const read = beforeSeparator(args);
  const found = read.map((arg, at) => readOption(arg, read.slice(at + 1)));
  const options = found.filter((option) => option !== undefined);
  for (const name of [...VALUE_OPTIONS, ...DRY_OPTIONS]) {
    if (options.filter((option) => option.name === name).length > 1) throw new Error(`Give --${name} once.`);
  }
  /** @param {string} name */
  const valuesOf = (name) => options.flatMap((option) => (option.name === name ? option.values : []));
  const [[config], [cwd], [env]] = [valuesOf("config"), valuesOf("cwd"), valuesOf("env")];
  const envFiles = valuesOf(LIST_OPTION).length > 0 ? valuesOf(LIST_OPTION) : defaultEnvFiles(env);
  return {
    deploys: !DRY_OPTIONS.some((name) => valuesOf(name).includes("true")),
    withoutDryRun: args.filter((_, at) => found[at]?.name !== "dry-run"),
    shared: options.filter(({ name }) => !DRY_OPTIONS.includes(name)).flatMap(formatOption),
    sharedWithoutEnv: options
      .filter(({ name }) => VALUE_OPTIONS.includes(name) && name !== "env")
      .flatMap(formatOption),
    ...{ config, cwd, env, envFiles },
  };
}

/**
 * Throws when npm took options of the command: Wrangler would not get them, and would deploy something else.
 * @param {string[]} args
 * @param {Record<string, string | undefined>} variables the environment that npm sets
 * @param {string[]} npmArguments what npm was given, as far as its log tells
 * @see https://docs.npmjs.com/cli/using-npm/config#environment-variables
 */
export function rejectOptionsTakenByNpm([first = "-"], variables, npmArguments) {
  const isVariable = OPTIONS_TAKEN_BY_NPM.some(
    (name) => variables[`npm_config_${name.replaceAll("-", "_")}`] !== undefined,
  );
  const isTaken = isVariable || beforeSeparator(npmArguments).some((arg) => SHORT_ENV_IN_NPM.test(arg));
  // npm passes the value of an option that it does not know as an argument without the option.
  if (!isTaken && isOption(first)) return;
  throw new Error(
    "Nothing was deployed: npm keeps options that are not after --, so write npm run deploy -- --env staging.",
  );
}

/** @param {string[]} args */
function beforeSeparator(args) {
  return args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
}

/**
 * Reads an argument as one of the options above.
 * @param {string} arg
 * @param {string[]} after the arguments after it
 * @returns {Option | undefined}
 */
function readOption(arg, after) {
  if (/^-[^-\d=][^=]/.test(arg)) throw new Error(`${arg}: write short options separately, as in -e staging -h.`);
  const [, written = "", value] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
  const name = LONG_NAMES[written] ?? written.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (UNSUPPORTED_OPTIONS.includes(name)) throw new Error(`${arg}: not supported here, use npx wrangler deploy.`);
  if (DRY_OPTIONS.includes(name)) return { name, values: [readFlag(arg, value, after)] };
  if (DRY_OPTIONS.includes(name.replace(/^no-/, "")) && value === undefined) {
    return { name: name.replace(/^no-/, ""), values: ["false"] };
  }
  if (VALUE_OPTIONS.includes(name)) return { name, values: [readValue(arg, value, after)] };
  if (name === LIST_OPTION) return { name, values: readList(value, after) };
  return undefined;
}

/**
 * @param {string} arg
 * @param {string | undefined} value
 * @param {string[]} after
 */
function readFlag(arg, value, [next = ""]) {
  // Wrangler reads any other value as false, and would deploy.
  if (value !== undefined && !isBoolean(value)) throw new Error(`${arg}: the value must be true or false.`);
  if (value === undefined && isBoolean(next)) throw new Error(`${arg} ${next}: write ${arg}=${next}.`);
  return value ?? "true";
}

/**
 * @param {string} arg
 * @param {string | undefined} value
 * @param {string[]} after
 */
function readValue(arg, value, [next]) {
  const found = value ?? (next === undefined || isOption(next) ? undefined : next);
  if (found === undefined) throw new Error(`${arg} needs a value.`);
  return found;
}

/**
 * @param {string | undefined} value
 * @param {string[]} after
 */
function readList(value, after) {
  const end = after.findIndex(isOption);
  return [...(value === undefined ? [] : [value]), ...(end === -1 ? after : after.slice(0, end))];
}

/** @param {Option} option */
function formatOption({ name, values }) {
  return values.map((value) => `--${name}=${value}`);
}

/** @param {string | undefined} env */
function defaultEnvFiles(env) {
  return [".env", ".env.local", ...(env ? [`.env.${env}`, `.env.${env}.local`] : [])];
}

/** @param {string} arg */
function isOption(arg) {
  return /^-(?!\d)/.test(arg);
}

/** @param {string} value */
function isBoolean(value) {
  return value === "true" || value === "false";
}
