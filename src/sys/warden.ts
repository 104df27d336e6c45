import { spawn } from 'node:child_process';
import { ownProgram } from '../core/own-files.ts';

/**
 * Ends programs of others that we have started when we end, however that comes about: whoever is killed can end nothing,
 * and the kernel does it only for a namespace of processes. What asks it to (PR_SET_PDEATHSIG) reaches neither a child's
 * children nor a program that changes its user.
 */
export interface Warden {
  /** Starts it, so that a process is watched as soon as it is there; may be called often. */
  prepare(): void;
  /**
   * Has a process ended when we end, with all below it, and with a number below 0 the group of that number too.
   * @returns takes that back; it has to be called once the process has ended, for its number may become another one's
   */
  watch(pid: number): () => void;
  /** Lets go of all that is watched, and ends the warden itself, which has ended then; it may be used again. */
  close(): Promise<void>;
}

/**
 * Our end closes what this reads. A process is held before its children are looked for, so that none is started meanwhile;
 * the list of them is expanded before another call sets the variable anew.
 */
const SCRIPT = `
end() {
  kill -STOP "$1" || return
  below=
  for task in /proc/"$1"/task/*; do
    children=
    read -r children <"$task/children"
    below="$below $children"
  done
  kill -9 "$1"
  for each in $below; do end "$each"; done
}
watched=
while read -r sign pid; do
  rest=
  for each in $watched; do [ "$each" = "$pid" ] || rest="$rest $each"; done
  watched=$rest
  [ "$sign" = - ] || watched="$watched $pid"
done
for pid in $watched; do
  end "\${pid#-}"
  case $pid in -*) kill -9 "$pid" ;; esac
done`;

/** Where programs of the machine are when nothing says it. */
const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * A shell, from the first process that it has to watch on. Where there is none, nothing is watched.
 * @param path where the shell is looked for
 */
export function createWarden(path = USUAL_PATH): Warden {
  let tell: ((line: string) => void) | undefined;
  let end = async (): Promise<void> => {};
  const start = (): void => {
    // A session of its own: a signal for all who use the terminal is none for it.
    const child = spawn(ownProgram('sh'), ['-c', SCRIPT], {
      env: { PATH: path },
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    child.stdin.on('error', () => {});
    child.unref();
    (child.stdin as unknown as { unref(): void }).unref();
    tell = (line) => void child.stdin.write(`${line}\n`);
    end = () => {
      child.ref();
      child.stdin.end();
      tell = undefined;
      return ended;
    };
  };
  const watched = new Set<number>();
  const forget = (pid: number): void => {
    if (watched.delete(pid)) tell?.(`- ${pid}`);
  };
  const prepare = (): void => {
    if (tell === undefined) start();
  };
  return {
    prepare,
    watch: (pid) => {
      prepare();
      watched.add(pid);
      tell?.(`+ ${pid}`);
      return () => forget(pid);
    },
    close: () => {
      for (const pid of [...watched]) forget(pid);
      const ended = end();
      end = async () => {};
      return ended;
    },
  };
}
