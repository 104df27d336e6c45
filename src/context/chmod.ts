import { AppError } from '../core/error.ts';

/** Gives the new mode of a file or directory from its old one. */
export type ChangeMode = (mode: number, isDirectory: boolean) => number;

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007 };
const ALL = 0o7777;

/**
 * Reads what --chmod takes: octal digits, or symbolic changes such as `u=rwX,go-w` (POSIX.1-2017, chmod).
 * @throws AppError DOCKERFILE for anything else
 */
export function parseChmod(text: string): ChangeMode {
  if (/^[0-7]{1,5}$/.test(text)) {
    const mode = Number.parseInt(text, 8) & ALL;
    return () => mode;
  }
  const changes = text.split(',').flatMap((clause) => parseClause(clause, text));
  return (mode, isDirectory) => changes.reduce((now, change) => change(now, isDirectory), mode);
}

function parseClause(clause: string, text: string): ChangeMode[] {
  const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause);
  if (!match) {
    throw new AppError('DOCKERFILE', `--chmod has the malformed mode "${text}"`, {
      hint: 'write an octal mode such as 755, or a symbolic one such as u=rwX,go=rX',
    });
  }
  const who =
    match[1] === '' || match[1]!.includes('a')
      ? ALL
      : [...match[1]!].reduce((bits, char) => bits | WHO[char]!, 0);
  return [...match[2]!.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(([, operator, what]) =>
    change(who, operator!, what!),
  );
}

function change(who: number, operator: string, what: string): ChangeMode {
  return (mode, isDirectory) => {
    const bits = bitsOf(what, mode, isDirectory) & who;
    if (operator === '+') return mode | bits;
    if (operator === '-') return mode & ~bits;
    return (mode & ~(who & (isDirectory ? 0o1777 : ALL))) | bits;
  };
}

function bitsOf(what: string, mode: number, isDirectory: boolean): number {
  if (/^[ugo]$/.test(what)) {
    const digit = (mode >> { u: 6, g: 3, o: 0 }[what as 'u' | 'g' | 'o']) & 7;
    return digit * 0o111;
  }
  let bits = 0;
  for (const char of what) {
    if (char === 'r') bits |= 0o444;
    if (char === 'w') bits |= 0o222;
    if (char === 'x' || (char === 'X' && (isDirectory || (mode & 0o111) !== 0))) bits |= 0o111;
    if (char === 's') bits |= 0o6000;
    if (char === 't') bits |= 0o1000;
  }
  return bits;
}
