import { AppError } from '../core/error.ts';

/** Gives the new mode of a file or directory from its old one. */
export type ChangeMode = (mode: number, isDirectory: boolean) => number;

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o0007, a: 0o6777 };
const ALL = 0o7777;
const STICKY = 0o1000;

/**
 * Reads what --chmod takes: octal digits, or symbolic changes such as `u=rwX,go-w` (POSIX.1-2017, chmod). Where POSIX
 * leaves a choice it is BuildKit's: `=` takes setuid and setgid from directories too, and the sticky bit from nothing; `X`
 * asks for the mode as it was before.
 * @throws AppError DOCKERFILE for anything else
 */
export function parseChmod(text: string): ChangeMode {
  if (/^[0-7]{1,5}$/.test(text)) {
    const mode = Number.parseInt(text, 8) & ALL;
    return () => mode;
  }
  const changes = text.split(',').flatMap((clause) => parseClause(clause, text));
  return (mode, isDirectory) => changes.reduce((now, change) => change(now, mode, isDirectory), mode);
}

/**
 * The mode of the directories that a copy makes for its files: as in a Docker engine what an octal --chmod says, under
 * the umask 022 and without setuid, setgid and the sticky bit; 0755 beside a symbolic one, which has nothing to change.
 */
export function madeDirectoryMode(chmod: string | undefined): number {
  return chmod !== undefined && /^[0-7]+$/.test(chmod) ? Number.parseInt(chmod, 8) & 0o755 : 0o755;
}

/** One change of a mode; `before` is the mode that the first one began with. */
type Change = (mode: number, before: number, isDirectory: boolean) => number;

function parseClause(clause: string, text: string): Change[] {
  const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause);
  if (!match) {
    throw new AppError('DOCKERFILE', `--chmod has the malformed mode "${text}"`, {
      hint: 'write an octal mode such as 755, or a symbolic one such as u=rwX,go=rX',
    });
  }
  const who = [...match[1]!].reduce((bits, char) => bits | WHO[char]!, 0);
  return [...match[2]!.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(([, operator, what]) =>
    /^[ugo]$/.test(what!) ? copyBits(who, operator!, what!) : change(who, operator!, what!),
  );
}

function change(who: number, operator: string, what: string): Change {
  // Others alone have neither a set-id nor a sticky bit.
  const special = who === 0 || (who & ~0o007) !== 0;
  const reached = (who || ALL) | (special && what.includes('t') ? STICKY : 0);
  return (mode, before, isDirectory) => {
    const bits = bitsOf(what, isDirectory || (before & 0o111) !== 0, special) & reached;
    if (operator === '-') return mode & ~bits;
    const cleared = operator === '=' ? mode & ~(who === 0 ? 0o6777 : reached) : mode;
    return cleared | bits;
  };
}

function bitsOf(what: string, executable: boolean, special: boolean): number {
  let bits = 0;
  for (const char of what) {
    if (char === 'r') bits |= 0o444;
    if (char === 'w') bits |= 0o222;
    if (char === 'x' || (char === 'X' && executable)) bits |= 0o111;
    if (char === 's' && special) bits |= 0o6000;
    if (char === 't' && special) bits |= STICKY;
  }
  return bits;
}

/** `g=u` and the like: the three bits of one class for others. */
function copyBits(who: number, operator: string, from: string): Change {
  const reached = (who || ALL) & 0o777;
  return (mode) => {
    const digit = (mode >> { u: 6, g: 3, o: 0 }[from as 'u' | 'g' | 'o']) & 7;
    const bits = (digit * 0o111) & reached;
    if (operator === '+') return mode | bits;
    if (operator === '-') return mode & ~bits;
    return (mode & ~reached) | bits;
  };
}
