import type { Environment } from '../../core/environment.ts';
import { maskUrlCredentials } from '../../core/url-credentials.ts';
import { parseGitUrl } from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import { OPTIONS } from '../options/table.ts';
import type { OptionRow, OptionValue } from '../options/types.ts';

/** Options that name files of the machine that asks, or say how it is asked; a user name of git may be a token. */
const OF_THIS_MACHINE: readonly string[] = [
  'allow-outside',
  'base-image-cache-dir',
  'cache-sign-key-path',
  'cache-trusted-keys',
  'docker-config-base64',
  'get-cached-image',
  'git-ssh-private-key-path',
  'git-username',
  'kaniko-dir',
  'layer-cache-dir',
  'progress',
  'provenance',
  'push-image',
  'registry-certs-dir',
  'sbom',
  'ssl-cert-dir',
  'ssl-cert-file',
  'state-dir',
  'verbose',
  'work-dir',
];

/**
 * The variables with which a container of the runtime image, or of a pushed image, is started as what a probe asked for: the
 * options that were given, without secrets, without what is of this machine alone, and without credentials in addresses.
 */
export function containerEnvironment(
  { options, given }: Parsed,
  env: Environment,
): Readonly<Record<string, string>> {
  const lines = OPTIONS.flatMap((row): [string, string][] => {
    const name = row.name as keyof typeof options;
    const how = given.get(name);
    const value: OptionValue | undefined = options[name];
    const applies = row.commands.includes('start') && !row.secret && !OF_THIS_MACHINE.includes(row.name);
    if (!row.variable || !how || !applies || value === undefined) return [];
    const text = how === 'variable' ? (env[row.variable] ?? '') : textOf(row, value);
    return [[row.variable, name === 'git-url' ? withoutLogin(text) : maskUrlCredentials(text)]];
  });
  return Object.fromEntries(lines.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** As the variable of an option is written. */
function textOf({ split }: OptionRow, value: OptionValue): string {
  if (value instanceof Map)
    return joined(
      [...value].map(([key, text]) => `${key}=${text}`),
      split,
    );
  if (Array.isArray(value)) return joined(value.map(String), split);
  return String(value);
}

function joined(items: readonly string[], split: OptionRow['split']): string {
  if (split === 'semicolon') return items.join(';');
  return items.map((item) => (/[",]/.test(item) ? `"${item.replaceAll('"', '""')}"` : item)).join(',');
}

function withoutLogin(address: string): string {
  const url = parseGitUrl(address);
  if (url === undefined) return maskUrlCredentials(address);
  return maskUrlCredentials(url.fragment === undefined ? url.remote : `${url.remote}#${url.fragment}`);
}
