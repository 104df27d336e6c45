import { AppError, toAppError } from '../core/error.ts';
import { createBeneath, withBeneath } from '../sys/beneath.ts';
import { mountAround, readMountTable } from '../sys/mount-table.ts';

/** Of /etc/passwd and /etc/group: 100,000 users have less. */
const MOST_BYTES = 16 * 1024 * 1024;

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, the primary one among them, as Docker gives them. */
  readonly groups: readonly number[];
}

/** A line of /etc/passwd. */
export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** The login shell; empty when the line names none. */
  readonly shell: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Who `USER` means in a root: `name`, `uid`, `name:group`, `uid:gid`, looked up in its /etc/passwd and /etc/group. A
 * number that they do not know is taken as it is, with group 0; '' is root, whom no file need name.
 * @throws AppError BUILD_FAILED for a name that is unknown
 */
export function lookupUser(root: string, user: string): Identity {
  const [name = '', group] = split(user);
  const passwd = readPasswd(root);
  const groups = readGroups(root);
  const entry =
    passwd.find((each) => each.name === (name || 'root')) ??
    passwd.find((each) => String(each.uid) === (name || '0'));
  const uid = entry?.uid ?? (name === 'root' ? 0 : numeric(name || '0'));
  if (uid === undefined) throw unknown('user', name, '/etc/passwd');
  if (group !== undefined && group !== '') {
    const gid = groupId(groups, group);
    return { uid, gid, groups: [gid] };
  }
  const member =
    entry === undefined
      ? []
      : groups.filter((each) => each.members.includes(entry.name)).map((each) => each.gid);
  const gid = entry?.gid ?? 0;
  return { uid, gid, groups: [...new Set([gid, ...member])] };
}

/**
 * Who `--chown` means: as USER, but a bare number without a group gives files that number as group too when nobody has
 * it, and a bare name gives the name's own group (Dockerfile reference, "COPY --chown").
 * @throws AppError BUILD_FAILED for a name that is unknown
 */
export function lookupChown(root: string, spec: string): { readonly uid: number; readonly gid: number } {
  const [name = '', group] = split(spec);
  const groups = readGroups(root);
  if (numeric(name) !== undefined) {
    const id = numeric(name)!;
    return { uid: id, gid: group ? groupId(groups, group) : group === '' ? 0 : id };
  }
  const { uid, gid } = lookupUser(root, group ? `${name}:${group}` : name);
  return { uid, gid };
}

/** What /etc/passwd says about a uid; its first line when several have it. */
export function passwdEntry(root: string, uid: number): PasswdEntry | undefined {
  return readPasswd(root).find((entry) => entry.uid === uid);
}

/** The home directory of a uid, `/` when /etc/passwd does not know it. */
export function homeOf(root: string, uid: number): string {
  return passwdEntry(root, uid)?.home || (uid === 0 ? '/root' : '/');
}

function split(spec: string): [string, string?] {
  const colon = spec.indexOf(':');
  return colon === -1 ? [spec] : [spec.slice(0, colon), spec.slice(colon + 1)];
}

function groupId(groups: readonly GroupEntry[], group: string): number {
  const named = groups.find((each) => each.name === group)?.gid;
  const gid = named ?? (group === 'root' ? 0 : numeric(group));
  if (gid === undefined) throw unknown('group', group, '/etc/group');
  return gid;
}

function numeric(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function unknown(kind: 'user' | 'group', name: string, file: string): AppError {
  return new AppError('BUILD_FAILED', `the ${kind} "${name}" is not in ${file} of the image`, {
    hint: `create it in an earlier RUN, or use its number`,
  });
}

function readPasswd(root: string): PasswdEntry[] {
  return lines(root, '/etc/passwd').map(([name = '', , uid, gid, , home = '', shell = '']) => ({
    name,
    uid: idOf(uid),
    gid: idOf(gid),
    home,
    shell,
  }));
}

function readGroups(root: string): GroupEntry[] {
  return lines(root, '/etc/group').map(([name = '', , gid, members = '']) => ({
    name,
    gid: idOf(gid),
    members: members.split(',').filter(Boolean),
  }));
}

/**
 * The id in a line, as Docker's reader and chown(2) make it: 0 for what is no number, and the lowest 32 bits of what is too
 * large. An id of all ones means nobody, and so is 0 as well.
 */
function idOf(text = ''): number {
  if (!/^[+-]?\d{1,19}$/.test(text)) return 0;
  const id = Number(BigInt.asUintN(32, BigInt(text.replace('+', ''))));
  return id === 0xffffffff ? 0 : id;
}

function lines(root: string, file: string): string[][] {
  return read(root, file)
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

/** @throws AppError BUILD_FAILED for what is no regular file, or too large */
function read(root: string, file: string): string {
  try {
    return withBeneath(createBeneath(), root, (directory) => {
      const real = `/${directory.realPath(file)}`;
      // A link of the image into what is mounted into the container leads out of the image.
      if (root === '/' && real !== file && mountAround(real, readMountTable()) !== undefined) return '';
      return directory.readFile(file, { limit: MOST_BYTES }).toString('utf8');
    });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(code)) return '';
    throw toAppError(error, 'BUILD_FAILED', `cannot read ${file} of the image`, {
      hint: 'it has to be a file, as in any image that has users',
    });
  }
}
