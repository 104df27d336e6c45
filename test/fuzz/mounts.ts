import { mountedRuns } from './mount-tables.ts';
import type { Random } from './random.ts';

/** The lines with RUNs that have mounts among them, where there is a shell to run them. */
export function withMounts(random: Random, lines: readonly string[]): readonly string[] {
  const bare = new Set(['scratch']);
  const earlier: string[] = [];
  let name = '';
  let hasShell = false;
  return lines.flatMap((line) => {
    const [, base, as] = /^FROM (\S+) AS (\S+)/.exec(line) ?? [];
    if (base !== undefined && as !== undefined) {
      if (name !== '') earlier.push(name);
      name = as;
      hasShell = !bare.has(base.toLowerCase());
      if (!hasShell) bare.add(as.toLowerCase());
    }
    return hasShell && random.chance(0.2) ? [line, mountedRun(random, earlier)] : [line];
  });
}

/** A RUN with a mount. @param earlier the stages before the one that it stands in */
export function mountedRun(random: Random, earlier: readonly string[]): string {
  const [options, command] = random.pick(mountedRuns);
  const stage = random.pick([...earlier, '@REGISTRY@/rich:1']);
  return `RUN ${options.replace('@STAGE@', stage)} ${command}`;
}
