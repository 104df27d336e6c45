import { parseDockerFlags } from './docker-arguments.ts';
import { mountTarget } from './merge.ts';
import type { ContainerSettings, Need, Ungranted } from './types.ts';
import { PRIVILEGED } from './ungranted.ts';

/** Flags of docker run that change nothing that a dev container could notice here. */
const HARMLESS: ReadonlySet<string> = new Set([
  '--name',
  '--workdir',
  '--label',
  '--rm',
  '--pull',
  '--interactive',
  '--tty',
]);

/** What a flag asks for that can be found out, and what of its value names it. */
function needOf(flag: string, value: string): { readonly unless?: Need; readonly detail?: string } {
  const mount = (name: string | undefined) =>
    name === undefined ? {} : { unless: { kind: 'mount', name } as const, detail: name };
  switch (flag) {
    case '--privileged':
      return { unless: PRIVILEGED };
    case '--cap-add':
      return { unless: { kind: 'capability', name: value }, detail: value };
    case '--security-opt':
      return { unless: { kind: 'security option', name: value }, detail: value };
    case '--init':
      return { unless: { kind: 'init' } };
    case '--gpus':
      return { unless: { kind: 'gpu' } };
    case '--mount':
      return mount(mountTarget(value));
    case '--volume':
      // An anonymous volume has a target alone.
      return mount(value.includes(':') ? value.split(':')[1] : value);
    case '--tmpfs':
      return mount(value.split(':')[0]);
    default:
      return {};
  }
}

/** What `runArgs` says of the container: settings, which win over metadata, and flags that cannot be honoured. */
export function applyRunArgs(
  words: readonly string[],
  origin: string,
): { readonly settings: ContainerSettings; readonly ungranted: readonly Ungranted[] } {
  const env: Record<string, string> = {};
  let user: string | undefined;
  const ungranted: Ungranted[] = [];
  for (const { name, value = '' } of parseDockerFlags(words)) {
    const equals = value.indexOf('=');
    if (name === '--env' && equals > 0) env[value.slice(0, equals)] = value.slice(equals + 1);
    else if (name === '--user') user = value;
    else if (!HARMLESS.has(name)) {
      const { unless, detail } = needOf(name, value);
      const property = `runArgs: ${detail === undefined ? name : `${name} ${detail}`}`;
      const why = 'it is for whoever starts the container';
      ungranted.push({ property, origin, why, ...(unless ? { unless } : {}) });
    }
  }
  const settings = { env, ...(user ? { user } : {}) };
  return { settings, ungranted };
}
