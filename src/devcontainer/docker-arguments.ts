/** One flag of a docker command line. */
export interface DockerFlag {
  /** With its dashes, as it is known best: `--env` also for `-e`. */
  readonly name: string;
  readonly value?: string;
}

/** Short flags, and what they are short for. */
const SHORT: Readonly<Record<string, string>> = {
  '-e': '--env',
  '-u': '--user',
  '-w': '--workdir',
  '-v': '--volume',
  '-p': '--publish',
  '-h': '--hostname',
  '-l': '--label',
  '-m': '--memory',
  '-c': '--cpu-shares',
  '-a': '--attach',
  '-t': '--tag',
  '-f': '--file',
  '-o': '--output',
};

/** Flags that take no value of their own. */
const BOOLEAN: ReadonlySet<string> = new Set([
  '--rm',
  '--init',
  '--privileged',
  '--read-only',
  '--publish-all',
  '--no-healthcheck',
  '--oom-kill-disable',
  '--detach',
  '--interactive',
  '--tty',
  '-d',
  '-i',
  '-it',
  '-ti',
  '-P',
  '--no-cache',
  '--pull',
  '--push',
  '--load',
  '--quiet',
  '-q',
  '--squash',
  '--force-rm',
  '--compress',
]);

/** Flags with their values, in order; both `--flag=value` and `--flag value`. Words without a flag are left out. */
export function parseDockerFlags(words: readonly string[]): readonly DockerFlag[] {
  const flags: DockerFlag[] = [];
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i]!;
    if (!word.startsWith('-')) continue;
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    if (equals >= 0) flags.push({ name, value: word.slice(equals + 1) });
    else if (BOOLEAN.has(name)) flags.push({ name });
    else if (!word.startsWith('--') && word.length > 2) {
      flags.push({
        name: SHORT[word.slice(0, 2)] ?? word.slice(0, 2),
        value: word.slice(2).replace(/^=/, ''),
      });
    } else {
      const value = words[i + 1];
      i += 1;
      flags.push({ name: SHORT[name] ?? name, ...(value === undefined ? {} : { value }) });
    }
  }
  return flags;
}
