import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '../core/error.ts';
import type { Guard } from './handler.ts';
import { createPasswordChecks, type PasswordChecks } from './password-checks.ts';
import { costOf } from './password-work.ts';
import { createReloadedFile, type ReloadedFile } from './reloaded-file.ts';
import { loginNeeded, type Rights, unlimited } from './rights.ts';

const BCRYPT = /^\$2[aby]?\$\d\d\$[./A-Za-z0-9]{53}$/;
/** What `htpasswd -C` takes; above it, one login would take minutes. */
const COSTS = { least: 4, most: 17 };
/** The cost of `htpasswd -B`: what a wrong name costs where nobody is in the file. */
const DEFAULT_COST = 5;
const MAX_REMEMBERED = 1000;

/** A guard that has threads of its own. */
export interface HtpasswdGuard {
  readonly guard: Guard;
  close(): Promise<void>;
}

export interface GuardOptions {
  readonly checks?: PasswordChecks;
  /** What users may do, and what others may who do not log in; users may do everything when left out. */
  readonly rights?: ReloadedFile<Rights>;
  /** Told of changes of the file that cannot be used. */
  readonly onFailure?: (error: AppError) => void;
}

/**
 * Lets those in whom an htpasswd file names with a bcrypt hash (`htpasswd -B`). The file is read again when it changes;
 * where it cannot be read any more, what it said last counts. A login that was right before is let in at once, whatever
 * others ask; all others wait for bcrypt, which takes as long for somebody who is not in the file.
 * @throws AppError USAGE when the file cannot be read or holds other hashes
 */
export function createHtpasswdGuard(
  path: string,
  { checks = createPasswordChecks(), rights, onFailure }: GuardOptions = {},
): HtpasswdGuard {
  const file = createReloadedFile(path, (text) => parseUsers(text, path), onFailure);
  // Passwords are not kept: what is compared are their codes under a key that nobody else has.
  const secret = randomBytes(32);
  const remembered = new Map<string, Buffer>();
  /** Checks under way, by their code: many requests of one client ask the same at once. */
  const pending = new Map<string, Promise<boolean>>();

  const isRight = async (user: string, password: string, from: string): Promise<boolean> => {
    const users = file.current();
    // What is remembered holds for the hash that it was right for.
    const hash = users.hashes.get(user);
    const code = createHmac('sha256', secret)
      .update(JSON.stringify([user, hash, password]))
      .digest();
    const known = remembered.get(user);
    if (known !== undefined && timingSafeEqual(known, code)) return true;
    const key = code.toString('latin1');
    let check = pending.get(key);
    if (check === undefined) {
      check = checks.check({ password, hash, cost: users.cost }, from);
      pending.set(key, check);
      const done = (): boolean => pending.delete(key);
      check.then(done, done);
    }
    const right = await check;
    if (!right || file.current().hashes.get(user) !== hash) return false;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(user, code);
    return true;
  };

  return {
    guard: async ({ headers, socket }, target) => {
      const [, encoded] = /^basic\s+(\S+)\s*$/i.exec(headers.authorization ?? '') ?? [];
      const [, user, password] =
        /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? [];
      const current = rights?.current();
      // Some clients log in as nobody where they have no login. Others ask at the root whether they need one.
      if (headers.authorization === undefined || (user === '' && password === '')) {
        if (current?.anonymous && target !== '/v2/' && target !== '/v2') return current.of(undefined);
        throw loginNeeded();
      }
      const from = socket.remoteAddress ?? '';
      if (user === undefined || password === undefined || !(await isRight(user, password, from)))
        throw loginNeeded();
      return current?.of(user) ?? unlimited(user);
    },
    close: checks.close,
  };
}

interface Users {
  /** bcrypt hashes by user. */
  readonly hashes: ReadonlyMap<string, string>;
  /** The highest cost of any of them. */
  readonly cost: number;
}

function parseUsers(text: string, path: string): Users {
  const users = new Map<string, string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, user = '', hash = ''] = /^([^:]+):(.*)$/.exec(line.trim()) ?? [];
    if (!BCRYPT.test(hash)) {
      throw new AppError('USAGE', `line ${i + 1} of ${path} is not a user with a bcrypt hash`, {
        hint: 'make the file with `htpasswd -B -c FILE USER`; other kinds of hashes are too weak',
        where: { path },
      });
    }
    if (costOf(hash) < COSTS.least || costOf(hash) > COSTS.most) {
      throw new AppError('USAGE', `line ${i + 1} of ${path} has a hash of the cost ${costOf(hash)}`, {
        hint: `make it with \`htpasswd -B -C COST\`, which takes ${COSTS.least} to ${COSTS.most}`,
        where: { path },
      });
    }
    users.set(user, hash);
  }
  const hashes = [...users.values()];
  return { hashes: users, cost: Math.max(DEFAULT_COST, ...hashes.map(costOf)) };
}
