import { isPossibleVariable } from '../sys/possible-variable.ts';

/** Variables and their values. */
export type Variables = Readonly<Record<string, string>>;

/** Where the environment of a start comes from, in the order in which later ones win. */
export interface EnvironmentSources {
  /** That of the container, without what configures us. */
  readonly container: Variables;
  /** The text of /etc/environment of the new root, if it has one. */
  readonly etcEnvironment?: string;
  /** `KEY=value` entries of the image's configuration. */
  readonly imageEnv: readonly string[];
  /** The devcontainer.json that was built from. */
  readonly devcontainerFile?: string;
  readonly containerEnv: Variables;
  /** null removes the variable. */
  readonly remoteEnv: RemoteVariables;
  /** What the values of these, as `containerEnv.NAME` and `remoteEnv.NAME`, come from; in others no variable is replaced. */
  readonly origins?: Readonly<Record<string, string>>;
  /** What HOME will be. */
  readonly home?: string;
}

/** null removes the variable. */
export type RemoteVariables = Readonly<Record<string, string | null>>;

/** A `${NAME}` that nothing sets. */
export interface UnknownVariable {
  readonly name: string;
  /** As in `remoteEnv.PATH`. */
  readonly property: string;
  readonly origin: string;
}

export interface StartEnvironment {
  readonly env: Variables;
  /** Names that the image and the dev container gave a value, sorted. */
  readonly added: readonly string[];
  /** With variables replaced. */
  readonly remoteEnv: RemoteVariables;
  readonly unknown: readonly UnknownVariable[];
  /** Names of those that are left out, because no process can have them. */
  readonly impossible: readonly string[];
}

/**
 * Puts the environment of user code together. A `${NAME}` without a prefix in containerEnv and remoteEnv, which the
 * specification does not know, stands for what is set by then, as in the Go program; where nothing sets it, it stays.
 */
export function composeEnvironment(sources: EnvironmentSources): StartEnvironment {
  const { devcontainerFile, home, container, origins = {} } = sources;
  const fromImage: Variables = {
    ...parseEntries(sources.imageEnv),
    ENVBUILDER: 'true',
    ...(devcontainerFile === undefined
      ? {}
      : { DEVCONTAINER: 'true', DEVCONTAINER_CONFIG: devcontainerFile }),
  };
  const below = { ...container, ...parseEtcEnvironment(sources.etcEnvironment ?? '') };
  const unknown: UnknownVariable[] = [];
  const replace = (values: RemoteVariables, env: RemoteVariables, kind: string): RemoteVariables =>
    replaceNames(values, home === undefined ? env : { ...env, HOME: home }, (key) => {
      const property = `${kind}.${key}`;
      const origin = origins[property];
      return origin === undefined
        ? undefined
        : { missing: (name: string) => unknown.push({ name, property, origin }) };
    });
  const containerEnv = replace(sources.containerEnv, { ...below, ...fromImage }, 'containerEnv');
  const remoteEnv = replace(sources.remoteEnv, { ...below, ...fromImage, ...containerEnv }, 'remoteEnv');
  const values = { ...fromImage, ...containerEnv, ...remoteEnv };
  const all = { ...below, ...values };
  const isSet = (entry: [string, string | null]): entry is [string, string] =>
    entry[1] !== null && isPossibleVariable(entry[0], entry[1]);
  return {
    env: Object.fromEntries(Object.entries(all).filter(isSet)),
    added: Object.entries(values)
      .filter(isSet)
      .map(([name]) => name)
      .sort(),
    remoteEnv,
    unknown,
    impossible: Object.entries(all)
      .filter(([name, value]) => value !== null && !isPossibleVariable(name, value))
      .map(([name]) => name),
  };
}

const NAME = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/**
 * Replaces `${NAME}` in values, in the order of their names: each sees what those before it have become.
 * @param askFor undefined where nothing is to be replaced in a value
 */
function replaceNames(
  values: RemoteVariables,
  env: RemoteVariables,
  askFor: (key: string) => { readonly missing: (name: string) => void } | undefined,
): RemoteVariables {
  const known: Record<string, string | null> = { ...env };
  const replaced: Record<string, string | null> = {};
  for (const key of Object.keys(values).sort()) {
    const value = values[key] ?? null;
    const asked = value === null ? undefined : askFor(key);
    const text = asked
      ? value!.replace(NAME, (match, name: string) => {
          const found = Object.hasOwn(known, name) ? known[name] : undefined;
          if (found === undefined) asked.missing(name);
          return found ?? (found === null ? '' : match);
        })
      : value;
    known[key] = text;
    replaced[key] = text;
  }
  return replaced;
}

/** The variables of `KEY=value` entries. */
function parseEntries(entries: readonly string[]): Variables {
  return Object.fromEntries(
    entries.map((entry): [string, string] => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

/**
 * The variables of /etc/environment, as pam_env reads it: `KEY=value` lines, `export` before them allowed, comments from
 * `#` or a NUL on, one pair of quotes around a value taken away.
 */
export function parseEtcEnvironment(text: string): Variables {
  const found: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*(?:export\s+)?([^\s=#]+)=(.*)$/.exec(line.replace(/\0.*|\r$/s, '')) ?? [];
    if (name !== undefined) found[name] = unquote(value ?? '');
  }
  return found;
}

/** The file that ENVBUILDER_EXPORT_ENV_FILE names: a sorted line for each variable that was added. */
export function exportLines({ env, added }: StartEnvironment): string {
  return added.map((name) => `${name}=${env[name] ?? ''}\n`).join('');
}

/** Names what an environment says about its user, unless the image or the container say otherwise. */
export function withAccount(
  env: Variables,
  account: { readonly name: string; readonly home: string; readonly shell: string },
): Variables {
  return { USER: account.name, SHELL: account.shell, ...env, HOME: account.home };
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1\s*(?:#.*)?$/.exec(value);
  return quoted ? quoted[2]! : value.replace(/(?:^|\s+)#.*$/, '').trimEnd();
}
