import { DEFAULT_PATH } from '../plan/environment.ts';
import type { Variables } from '../start/environment.ts';
import { createRunInside, type RunningContainer } from './container.ts';
import type { DescribedContainer } from './describe.ts';

/** What the environment of a first process says of its own user and shell alone. */
const OF_ITS_USER = ['HOME', 'USER', 'SHELL', 'PWD', 'OLDPWD', 'SHLVL', '_'];

/** The environment of a container, as docker run makes it: what every process in it begins with. */
export function containerEnvironment(
  image: Variables,
  { devcontainer }: Pick<DescribedContainer, 'devcontainer'>,
  hostname: string,
): Variables {
  return { PATH: DEFAULT_PATH, HOSTNAME: hostname, ...image, ...devcontainer.containerEnv };
}

/**
 * The environment that a container was started with, for other users than that of its first process. What came from the
 * machine then is asked of that process, which alone still knows it.
 */
export async function runningEnvironment(
  container: RunningContainer,
  { image, described, hostname }: { image: Variables; described: DescribedContainer; hostname: string },
  signal: AbortSignal,
): Promise<Variables> {
  const computed = containerEnvironment(image, described, hostname);
  const { metadata, settings } = described.devcontainer;
  const texts = metadata.flatMap(({ entry }) => Object.values(entry.containerEnv ?? {}));
  const added = Object.keys({ ...settings.below.env, ...settings.above.env });
  if (added.length === 0 && !texts.some((text) => text.includes('${'))) return computed;
  const chunks: Buffer[] = [];
  // Root alone may not look into the processes of others; with all rights it may.
  const runAs = createRunInside({ ...container, privileged: true });
  await runAs(
    { argv: ['/bin/sh', '-c', 'cat /proc/1/environ'], env: computed, cwd: '/', uid: 0, gid: 0, groups: [0] },
    { onOutput: (stream, chunk) => stream === 'stdout' && chunks.push(chunk), signal },
  );
  const entries = Buffer.concat(chunks)
    .toString('utf8')
    .split('\0')
    .filter((entry) => entry.includes('='))
    .map((entry): [string, string] => {
      const equals = entry.indexOf('=');
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    });
  const known = Object.fromEntries(entries);
  const names = Object.keys(computed).filter(
    (name) => Object.hasOwn(known, name) && !OF_ITS_USER.includes(name),
  );
  return { ...computed, ...Object.fromEntries(names.map((name) => [name, known[name]!])) };
}

/** An environment with what is set or, by null, removed for the user's processes, the last one counting. */
export function withRemote(
  env: Variables,
  ...remote: readonly Readonly<Record<string, string | null>>[]
): Variables {
  const entries = Object.entries(Object.assign({}, env, ...remote) as Record<string, string | null>);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
}
