import { AppError } from '../core/error.ts';
import { RegistryError } from './registry-error.ts';

const RIGHTS = ['pull', 'push', 'delete'] as const;

/** What can be done with a repository: read it, write to it, delete from it. */
export type Right = (typeof RIGHTS)[number];

/** What one client may do. */
export interface Access {
  /** The name that it logged in with. */
  readonly user?: string;
  /** Whether it may do it with every repository that there can be. */
  readonly everywhere: (right: Right) => boolean;
  readonly may: (right: Right, repository: string) => boolean;
}

/** Who may do what. */
export interface Rights {
  /** Whether there is anything that clients without a login may do. */
  readonly anonymous: boolean;
  /** @param user undefined for a client without a login */
  of(user: string | undefined): Access;
}

interface Rule {
  /** A user's name, or one of WHO. */
  readonly who: string;
  readonly matches: (repository: string) => boolean;
  readonly everywhere: boolean;
  readonly rights: ReadonlySet<Right>;
}

/** Words for those who have no name. */
const WHO = { everybody: '@everybody', users: '@users' } as const;

/** A part of a repository's name with `*` for any characters, or `**` for any number of parts. */
const PATTERN = /^(?:\*\*|[a-z0-9._*-]+)(?:\/(?:\*\*|[a-z0-9._*-]+))*$/;

/** All rights, for a registry that nobody has to log in to, or whose users are all equal. */
export function unlimited(user?: string): Access {
  return { ...(user === undefined ? {} : { user }), everywhere: () => true, may: () => true };
}

/**
 * Reads a file of rights: lines of a user, repositories and rights, which add up. What no line allows is refused.
 * @param path named in errors
 * @throws AppError USAGE for the first line that says nothing
 */
export function parseRights(text: string, path: string): Rights {
  const rules = text.split(/\r?\n/).flatMap((line, i) => {
    const words = line.trim().split(/\s+/);
    return words[0] === '' || words[0]?.startsWith('#') ? [] : [parseRule(words, { path, line: i + 1 })];
  });
  return {
    anonymous: rules.some(({ who }) => who === WHO.everybody),
    of: (user) => {
      const own = rules.filter(
        ({ who }) => who === WHO.everybody || (user !== undefined && (who === WHO.users || who === user)),
      );
      return {
        ...(user === undefined ? {} : { user }),
        everywhere: (right) => own.some((rule) => rule.everywhere && rule.rights.has(right)),
        may: (right, repository) => own.some((rule) => rule.rights.has(right) && rule.matches(repository)),
      };
    },
  };
}

/** @throws RegistryError 401 for somebody who could log in, 403 for somebody who has */
export function requireRight(access: Access, right: Right, repository: string): void {
  if (access.may(right, repository)) return;
  if (access.user === undefined) throw loginNeeded();
  throw new RegistryError(403, 'DENIED', `this user may not ${VERBS[right]} this repository`, {
    detail: { repository, right },
  });
}

/** What a client is told that has to log in, or whose login is wrong. */
export function loginNeeded(): RegistryError {
  return new RegistryError(401, 'UNAUTHORIZED', 'a user name and a password are needed', {
    headers: { 'www-authenticate': 'Basic realm="envbuilder registry", charset="UTF-8"' },
  });
}

const VERBS: Readonly<Record<Right, string>> = {
  pull: 'pull from',
  push: 'push to',
  delete: 'delete from',
};

function parseRule(words: readonly string[], { path, line }: { path: string; line: number }): Rule {
  const wrong = (message: string, hint: string): AppError =>
    new AppError('USAGE', `line ${line} of ${path} ${message}`, { hint, where: { path } });
  const [who = '', pattern = '', list = ''] = words;
  if (words.length !== 3)
    throw wrong(
      'is not a user, repositories and rights',
      'write three words, as in `ann team-a/** pull,push`',
    );
  if (who.includes(':') || (who.startsWith('@') && !Object.values<string>(WHO).includes(who)))
    throw wrong(
      `names "${who}", who cannot log in`,
      `write the name of a user, ${WHO.users} for whoever has logged in, or ${WHO.everybody}`,
    );
  if (!PATTERN.test(pattern) || pattern.split('/').some((part) => part !== '**' && part.includes('**')))
    throw wrong(
      `has the pattern "${pattern}", which no name of a repository fits`,
      'write a name in small letters; * stands for a part of it, ** for any number of parts, as in team-a/**',
    );
  const rights = list.split(',').map((word) => {
    const right = RIGHTS.find((name) => name === word);
    if (right !== undefined) return right;
    throw wrong(`has the right "${word}"`, `there are ${RIGHTS.join(', ')}, with commas between them`);
  });
  return { who, ...matcher(pattern), rights: new Set(rights) };
}

/** Compares part by part: no pattern can make a name take long. */
function matcher(pattern: string): Pick<Rule, 'matches' | 'everywhere'> {
  const wanted = pattern.split('/');
  const matches = (parts: readonly string[]): boolean => {
    // Where in the name the pattern's parts so far can have ended.
    let ends = new Set([0]);
    for (const part of wanted) {
      const next = new Set<number>();
      for (const end of ends) {
        if (part === '**') for (let i = end; i <= parts.length; i += 1) next.add(i);
        else if (end < parts.length && partFits(part, parts[end]!)) next.add(end + 1);
      }
      ends = next;
    }
    return ends.has(parts.length);
  };
  return {
    matches: (repository) => matches(repository.split('/')),
    everywhere: wanted.every((part) => part === '**'),
  };
}

/** `*` is any characters, also none; from left to right, each as early as it can be, with the end held to the end. */
function partFits(pattern: string, part: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return part === first;
  if (!part.startsWith(first)) return false;
  const last = rest.pop()!;
  let at = first.length;
  for (const piece of rest) {
    const found = part.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return part.length - last.length >= at && part.endsWith(last);
}
