// What `npm run deploy` must know of its arguments: whether they deploy at all, and to where.
// Options are found as Wrangler finds them; one that Wrangler could read in another way is an error.

/** Options of every Wrangler command: they choose the folder, the configuration, the environment and the account. */
const VALUES = ["config", "cwd", "env", "profile"];
const LIST = "env-file";
/** With one of these, `wrangler deploy` deploys nothing. */
const FLAGS = ["dry-run", "help", "version"];
/** With one of these, `wrangler deploy` goes where the other steps cannot follow. */
const ELSEWHERE = ["dispatch-namespace", "temporary"];
/** @type {Record<string, string>} */
const SHORT = { c: "config", e: "env", h: "help", v: "version" };

/**
 * Options of `wrangler deploy` that npm takes for its own where no `--` stands before them, and hands on as variables alone;
 * `-c` it calls `call`. Those that npm has itself, such as `yes` and `tag`, cannot be told from its own settings.
 */
const SWALLOWED = [...VALUES, LIST, ...ELSEWHERE].concat(
  `alias assets bundle call compatibility-date compatibility-flags containers-rollout define domains dry-run dryrun
   jsx-factory jsx-fragment keep-vars keepvars latest legacy-env logpush metafile minify name no-bundle old-asset-ttl outdir
   outfile routes secrets-file strict triggers tsconfig upload-source-maps var`.split(/\s+/),
);

/** @typedef {{ name: string, values: string[] }} Option */

/**
 * @typedef {object} DeployArguments
 * @property {boolean} deploys false with --dry-run, --help or --version
 * @property {string[]} withoutDryRun all arguments but --dry-run=false
 * @property {string[]} shared those that every Wrangler command takes
 * @property {string[]} sharedButEnv the same without --env and --env-file
 * @property {string | undefined} env the environment's name; empty means the top level, even if CLOUDFLARE_ENV is set
 * @property {string | undefined} config
 * @property {string | undefined} cwd
 * @property {string[]} envFiles the .env files that Wrangler reads; later ones win
 */

/**
 * @param {string[]} args
 * @returns {DeployArguments}
 */
export function parseArguments(args) {
  const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  const found = own.map((arg, at) => readOption(arg, own.slice(at + 1)));
  const options = found.filter((option) => option !== undefined);
  for (const name of [...VALUES, ...FLAGS]) {
    if (options.filter((option) => option.name === name).length > 1) throw new Error(`Give --${name} once.`);
  }
  /** @param {string} name */
  const valuesOf = (name) => options.flatMap((option) => (option.name === name ? option.values : []));
  const [[config], [cwd], [env]] = [valuesOf("config"), valuesOf("cwd"), valuesOf("env")];
  const envFiles = valuesOf(LIST).length > 0 ? valuesOf(LIST) : defaultEnvFiles(env);
  return {
    deploys: !FLAGS.some((name) => valuesOf(name).includes("true")),
    withoutDryRun: args.filter((_, at) => found[at]?.name !== "dry-run"),
    shared: options.filter(({ name }) => !FLAGS.includes(name)).flatMap(write),
    sharedButEnv: options.filter(({ name }) => VALUES.includes(name) && name !== "env").flatMap(write),
    ...{ config, cwd, env, envFiles },
  };
}

/**
 * Refuses a command whose options npm has kept for itself: something else would be deployed than was asked for.
 * @param {string[]} args
 * @param {Record<string, string | undefined>} variables the environment that npm hands on
 * @see https://docs.npmjs.com/cli/using-npm/config#environment-variables
 */
export function refuseSwallowed([first = "-"], variables) {
  const isSwallowed = SWALLOWED.some((name) => variables[`npm_config_${name.replaceAll("-", "_")}`] !== undefined);
  // npm hands on a value alone where it does not know the option before it.
  if (!isSwallowed && isOption(first)) return;
  throw new Error("npm keeps options for itself that no -- stands before. Write: npm run deploy -- --env staging");
}

/**
 * The option that an argument gives, if it is one of those above.
 * @param {string} arg
 * @param {string[]} after the arguments after it
 * @returns {Option | undefined}
 */
function readOption(arg, after) {
  if (/^-[^-\d=][^=]/.test(arg)) throw new Error(`${arg}: write short options apart, as in -e staging -h.`);
  const [, written = "", value] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
  const name = SHORT[written] ?? written.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (ELSEWHERE.includes(name)) throw new Error(`${arg}: not supported here, use npx wrangler deploy.`);
  if (FLAGS.includes(name)) return { name, values: [readFlag(arg, value, after)] };
  if (FLAGS.includes(name.replace(/^no-/, "")) && value === undefined) {
    return { name: name.replace(/^no-/, ""), values: ["false"] };
  }
  if (VALUES.includes(name)) return { name, values: [readValue(arg, value, after)] };
  if (name === LIST) return { name, values: readList(value, after) };
  return undefined;
}

/**
 * @param {string} arg
 * @param {string | undefined} value
 * @param {string[]} after
 */
function readFlag(arg, value, [next = ""]) {
  // Wrangler takes any other value for false, and would deploy.
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
function write({ name, values }) {
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
