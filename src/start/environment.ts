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
  readonly remoteEnv: Readonly<Record<string, string | null>>;
}

export interface StartEnvironment {
  readonly env: Variables;
  /** Names that the image and the dev container gave a value, sorted. */
  readonly added: readonly string[];
}

/** Puts the environment of user code together. */
export function composeEnvironment(sources: EnvironmentSources): StartEnvironment {
  const { devcontainerFile } = sources;
  const values: Record<string, string | null> = {
    ...parseEntries(sources.imageEnv),
    ENVBUILDER: 'true',
    ...(devcontainerFile === undefined
      ? {}
      : { DEVCONTAINER: 'true', DEVCONTAINER_CONFIG: devcontainerFile }),
    ...sources.containerEnv,
    ...sources.remoteEnv,
  };
  const all = { ...sources.container, ...parseEtcEnvironment(sources.etcEnvironment ?? ''), ...values };
  const isSet = (entry: [string, string | null]): entry is [string, string] => entry[1] !== null;
  return {
    env: Object.fromEntries(Object.entries(all).filter(isSet)),
    added: Object.entries(values)
      .filter(isSet)
      .map(([name]) => name)
      .sort(),
  };
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
 * `#` on, one pair of quotes around a value taken away.
 */
export function parseEtcEnvironment(text: string): Variables {
  const found: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*(?:export\s+)?([^\s=#]+)=(.*)$/.exec(line.replace(/\r$/, '')) ?? [];
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
