import type { Platform } from '../oci/types.ts';

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

/** The variables of a stage as instructions go by: ENV is for ever, ARG for the rest of the stage; the later one wins. */
export interface StageEnvironment {
  /** ENV in order of first appearance, for the image's config. */
  readonly env: ReadonlyMap<string, string>;
  /** ARGs in scope with a value. */
  readonly args: ReadonlyMap<string, string>;
  lookup(name: string): string | undefined;
  /** What is defined: ENV, and ARG with a value or without. */
  names(): ReadonlySet<string>;
  setEnv(name: string, value: string): void;
  setArg(name: string, value: string): void;
  /** For an ARG without a value. */
  declare(name: string): void;
  /** What a RUN sees, proxy ARGs left out. */
  runEnv(): Map<string, string>;
}

/** @param initial `KEY=VALUE` entries of the base's config; a later duplicate wins */
export function createStageEnvironment(initial: readonly string[]): StageEnvironment {
  const env = new Map<string, string>();
  const args = new Map<string, string>();
  const effective = new Map<string, string>();
  const declared = new Set<string>();
  const setEnv = (name: string, value: string): void => {
    env.set(name, value);
    effective.set(name, value);
    args.delete(name);
  };
  for (const entry of initial) {
    const split = entry.indexOf('=');
    if (split === -1) setEnv(entry, '');
    else setEnv(entry.slice(0, split), entry.slice(split + 1));
  }
  return {
    env,
    args,
    lookup: (name) => effective.get(name),
    names: () => new Set(['PATH', ...effective.keys(), ...declared]),
    declare: (name) => declared.add(name),
    setEnv,
    setArg: (name, value) => {
      args.set(name, value);
      effective.set(name, value);
    },
    runEnv: () => {
      const out = new Map(effective);
      for (const name of args.keys()) {
        if (!isProxyArg(name)) continue;
        const fixed = env.get(name);
        if (fixed === undefined) out.delete(name);
        else out.set(name, fixed);
      }
      return out;
    },
  };
}
