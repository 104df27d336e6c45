import { createHash, timingSafeEqual } from 'node:crypto';
import * as fs from 'node:fs';
import bcrypt from 'bcryptjs';
import { AppError, toAppError } from '../core/error.ts';
import type { Guard } from './handler.ts';
import { RegistryError } from './registry-error.ts';

const BCRYPT = /^\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}$/;
const MAX_REMEMBERED = 1000;

/**
 * Lets those in whom an htpasswd file names with a bcrypt hash (`htpasswd -B`). The file is read again when it changes;
 * where it cannot be read any more, what it said last counts.
 * @throws AppError USAGE when the file cannot be read or holds other hashes
 */
export function createHtpasswdGuard(path: string): Guard {
  let users = readUsers(path);
  let stamp = stampOf(path);
  // Compared with the password of somebody who is not in the file, so that the answer takes as long.
  const nobody = bcrypt.hashSync('', 10);
  // bcrypt takes a tenth of a second by design; what was right once is recognised by a plain hash.
  const remembered = new Map<string, Buffer>();

  const refresh = (): void => {
    const now = stampOf(path);
    if (now === undefined || now === stamp) return;
    stamp = now;
    try {
      users = readUsers(path);
      remembered.clear();
    } catch {
      // A file that is being written is read once it is whole.
    }
  };

  const allowed = async (user: string, password: string): Promise<boolean> => {
    const hash = users.get(user);
    const digest = createHash('sha256').update(`${hash}\0${password}`).digest();
    const known = remembered.get(user);
    if (known !== undefined && timingSafeEqual(known, digest)) return true;
    const right = await bcrypt.compare(password, hash ?? nobody);
    if (!right || hash === undefined) return false;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(user, digest);
    return true;
  };

  return async ({ headers }) => {
    refresh();
    const [, encoded] = /^basic\s+(\S+)\s*$/i.exec(headers.authorization ?? '') ?? [];
    const [, user, password] =
      /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? [];
    if (user !== undefined && password !== undefined && (await allowed(user, password))) return;
    throw new RegistryError(401, 'UNAUTHORIZED', 'a user name and a password are needed', {
      headers: { 'www-authenticate': 'Basic realm="envbuilder registry", charset="UTF-8"' },
    });
  };
}

function readUsers(path: string): ReadonlyMap<string, string> {
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    throw toAppError(error, 'USAGE', `cannot read ${path}`, { where: { path } });
  }
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
    users.set(user, hash);
  }
  return users;
}

function stampOf(path: string): string | undefined {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
}
