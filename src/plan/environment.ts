import type { Platform } from '../oci/types.ts';

/** The PATH that Docker gives to an image whose base sets none. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Names that Docker predefines: usable in RUN without an ARG line, and never part of a key. */
const PROXY_NAMES: ReadonlySet<string> = new Set(
  ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'].flatMap((name) => [
    name,
    name.toUpperCase(),
  ]),
);

/** Whether an ARG is one of the predefined proxy arguments (Dockerfile reference, "Predefined ARGs"). */
export function isProxyArg(name: string): boolean {
  return PROXY_NAMES.has(name);
}

/**
 * The automatic platform ARGs in the global scope (Dockerfile reference, "Automatic platform ARGs in the global scope").
 * @param targetStage the name of the stage that is built, or `default`
 */
export function platformArgs(target: Platform, build: Platform, targetStage: string): Map<string, string> {
  const args = new Map<string, string>();
  for (const [prefix, platform] of [
    ['TARGET', target],
    ['BUILD', build],
  ] as const) {
    const { os, architecture, variant } = platform;
    args.set(`${prefix}PLATFORM`, [os, architecture, variant].filter(Boolean).join('/'));
    args.set(`${prefix}OS`, os);
    args.set(`${prefix}ARCH`, architecture);
    args.set(`${prefix}VARIANT`, variant ?? '');
  }
  args.set('TARGETSTAGE', targetStage);
  return args;
}

/** What a stage hands to one that is built on it. */
export interface InheritedVariables {
  /** All variables with a value, in the order in which they were set last. */
  readonly values: ReadonlyMap<string, string>;
  /** Names of the ARGs so far, with what they were set to; '' for one without a value. */
  readonly args: ReadonlyMap<string, string>;
}

/** The variables of a stage as instructions go by: ENV is for ever, ARG for the rest of the stage; the later one wins. */
export interface StageEnvironment {
  lookup(name: string): string | undefined;
  /** What is defined: ENV, and ARG with a value or without. */
  names(): ReadonlySet<string>;
  setEnv(name: string, value: string): void;
  /** @param value left out for one that is declared and nobody has given a value */
  setArg(name: string, value?: string): void;
  /** For the image's config: the base's entries as they stand there, an ENV in the place of the first of its name. */
  config(): readonly string[];
  /** What a RUN sees, the later set the later; names may be empty. */
  values(): Map<string, string>;
  /** The ARGs so far, with the values that a RUN sees; for the history. */
  args(): Map<string, string>;
  inherited(): InheritedVariables;
}

/**
 * @param config entries of the base's config; of several with a name the last one counts
 * @param base what the base, a stage, hands on; what its config says counts more
 */
export function createStageEnvironment(
  config: readonly string[],
  base?: InheritedVariables,
): StageEnvironment {
  const entries = [...config];
  const declared = new Map(base?.args);
  const values = new Map(base?.values);
  const set = (name: string, value: string): void => {
    values.delete(name);
    values.set(name, value);
  };
  if (!entries.some((entry) => nameOf(entry) === 'PATH')) entries.push(`PATH=${DEFAULT_PATH}`);
  for (const entry of entries) set(nameOf(entry), entry.slice(nameOf(entry).length + 1));
  const args = (): Map<string, string> =>
    new Map([...declared].map(([name, value]) => [name, values.get(name) ?? value]));
  return {
    lookup: (name) => values.get(name),
    names: () => new Set([...values.keys(), ...declared.keys()]),
    setEnv: (name, value) => {
      set(name, value);
      const at = entries.findIndex((entry) => nameOf(entry) === name);
      entries.splice(at === -1 ? entries.length : at, 1, `${name}=${value}`);
    },
    setArg: (name, value) => {
      declared.set(name, value ?? '');
      if (value !== undefined) set(name, value);
    },
    config: () => [...entries],
    values: () => new Map(values),
    args,
    inherited: () => ({ values: new Map(values), args: new Map(declared) }),
  };
}

function nameOf(entry: string): string {
  const split = entry.indexOf('=');
  return split === -1 ? entry : entry.slice(0, split);
}
