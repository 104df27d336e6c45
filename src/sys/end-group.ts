import { setTimeout as sleep } from 'node:timers/promises';
import { below, kill, type ProcessFacts, processes } from './descendants.ts';

/** Time between asking a command to end and ending it. */
const KILL_AFTER_MS = 1500;
const LOOK_MS = 20;

/**
 * Ends a command with all that it has started: its process group, and what has left that but is below it. They are asked to
 * end by themselves, and killed when some of them are there for too long; that the command itself has ended says nothing of
 * the others.
 * @param leader the first process of a group of its own, which is a child of ours that has not been waited for
 */
export async function endGroup(leader: number): Promise<void> {
  const known = new Set<string>();
  const left = (): readonly ProcessFacts[] => {
    const all = processes();
    const roots = all.filter((one) => one.group === leader || one.pid === leader || known.has(keyOf(one)));
    const found = [
      ...roots.filter(({ isZombie }) => !isZombie),
      ...below(
        all,
        roots.map(({ pid }) => pid),
      ),
    ];
    for (const one of found) known.add(keyOf(one));
    return found;
  };
  for (const { pid, group } of left()) if (group !== leader) kill(pid, 'SIGTERM');
  kill(-leader, 'SIGTERM');
  const latest = performance.now() + KILL_AFTER_MS;
  while (left().length > 0 && performance.now() < latest) await sleep(LOOK_MS);
  for (const { pid } of left()) kill(pid);
}

const keyOf = ({ pid, began }: ProcessFacts): string => `${pid} ${began}`;
