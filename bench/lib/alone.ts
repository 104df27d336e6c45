import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { layersOf, untar } from './layers.ts';
import { measure } from './measure.ts';
import type { Work } from './works.ts';

/** Runs what follows the root directory in it, with the file systems that every container has. */
const ENTER = `mount -t proc proc "$0/proc" && mkdir -p "$0/dev" && mount --rbind /dev "$0/dev" &&
exec chroot "$0" /bin/sh -c "$1"`;

/**
 * Milliseconds of the commands of a work's RUNs, one after the other in a root directory that is there already: nothing is
 * unpacked, recorded or stored around them.
 * @param storage of the registry that has the base image
 * @param into does not exist yet
 */
export async function commandsAlone(work: Work, storage: string, into: string): Promise<number> {
  await untar(await layersOf(work.base, storage), into);
  for (const name of ['resolv.conf', 'hosts'])
    cpSync(`/etc/${name}`, join(into, 'etc', name), { dereference: true });
  let all = 0;
  for (const step of groups(work)) {
    if (step.copy) {
      const { from, to } = step.copy;
      mkdirSync(dirname(join(into, to)), { recursive: true });
      cpSync(from.startsWith('/') ? join(into, from) : join(work.context, from), join(into, to), {
        recursive: true,
      });
      continue;
    }
    const { ms } = await measure('unshare', [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      '/bin/sh',
      '-c',
      ENTER,
      into,
      step.script,
    ]);
    all += ms;
  }
  return all;
}

/** Commands with nothing to copy between them run as one script, a shell each, so that entering counts once. */
function groups(work: Work): readonly Group[] {
  const found: Group[] = [];
  for (const { run, copy } of work.alone ?? []) {
    if (copy) found.push({ copy, script: '' });
    if (run === undefined) continue;
    const line = `/bin/sh -c '${run.replaceAll("'", `'\\''`)}' || exit`;
    const last = found.at(-1);
    if (last && !last.copy) found[found.length - 1] = { script: `${last.script}\n${line}` };
    else found.push({ script: line });
  }
  return found;
}

interface Group {
  readonly copy?: { readonly from: string; readonly to: string };
  readonly script: string;
}
