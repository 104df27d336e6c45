import { readdirSync, readFileSync } from 'node:fs';

/** What /proc tells of one process. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly arguments: string;
  readonly environment: string;
  /** Peak of memory that is not a mapped file, in bytes; grows only as far as it was looked at. */
  readonly anonymous: number;
}

/** The processes below one of ours, at this moment. */
export function descendants(of: number): readonly ProcessEntry[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => read(Number(name)) ?? []);
  const found: ProcessEntry[] = [];
  const visit = (parent: number): void => {
    for (const each of all.filter((entry) => entry.parent === parent)) {
      found.push(each);
      visit(each.pid);
    }
  };
  visit(of);
  return found;
}

/** Looks at the processes below ours again and again, until `work` has ended. */
export async function watchDescendants<T>(
  work: () => Promise<T>,
  look: (entries: readonly ProcessEntry[]) => void,
  everyMs = 10,
): Promise<T> {
  const timer = setInterval(() => look(descendants(process.pid)), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function read(pid: number): ProcessEntry | undefined {
  try {
    const file = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8');
    const status = file('status');
    const field = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return {
      pid,
      parent: field('PPid'),
      arguments: file('cmdline').replaceAll('\0', ' '),
      environment: file('environ').replaceAll('\0', ' '),
      anonymous: field('RssAnon') * 1024,
    };
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
