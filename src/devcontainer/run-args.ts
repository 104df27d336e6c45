import { parseDockerFlags } from './docker-arguments.ts';
import type { ContainerSettings, Ungranted } from './types.ts';

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
      ungranted.push({ property: `runArgs: ${name}`, origin, why: 'it is for whoever starts the container' });
    }
  }
  const settings = { env, ...(user ? { user } : {}) };
  return { settings, ungranted };
}
