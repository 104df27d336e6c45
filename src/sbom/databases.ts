import { readNpm, readPython } from './language-packages.ts';
import { readRpm } from './rpm.ts';
import { readApk, readDpkg, readOsRelease } from './system-packages.ts';
import type { Found, Package } from './types.ts';

/** A file that tells of packages. */
export interface Database {
  /** A longer one is not read. */
  readonly most: number;
  /** Why it is never read; continues a sentence that begins with the path. */
  readonly refused?: string;
  /** Whether it lies at one path alone, so that something else in its place is worth a word. */
  readonly fixed: boolean;
  /** @throws Error for what cannot be read; its message continues a sentence that begins with the path */
  readonly read: (bytes: Buffer) => Found;
}

const MIB = 1 << 20;

/** Some ten times as large as that of a full desktop. */
const system = (read: (text: string) => readonly Package[]): Database => ({
  most: 64 * MIB,
  fixed: true,
  read: (bytes) => ({ packages: read(bytes.toString('utf8')) }),
});
const oneOf = (read: (text: string) => readonly Package[]): Database => ({
  most: 4 * MIB,
  fixed: false,
  read: (bytes) => ({ packages: read(bytes.toString('utf8')) }),
});

const [DPKG, APK] = [system(readDpkg), system(readApk)];
const OS_RELEASE: Database = {
  most: MIB,
  fixed: false,
  read: (bytes) => {
    const distribution = readOsRelease(bytes.toString('utf8'));
    return { packages: [], ...(distribution ? { distribution } : {}) };
  },
};
const RPM: Database = { most: 256 * MIB, fixed: true, read: (bytes) => ({ packages: readRpm(bytes) }) };
/** Those of older versions of rpm. */
const OTHER_RPM: Database = {
  most: 0,
  fixed: true,
  refused: "is a database of rpm's in an older form, which is not read",
  read: () => ({ packages: [] }),
};

/** Databases that lie where their program looks for them. */
const AT_PATH: ReadonlyMap<string, Database> = new Map([
  ['var/lib/dpkg/status', DPKG],
  ['lib/apk/db/installed', APK],
  ['usr/lib/apk/db/installed', APK],
  ['etc/os-release', OS_RELEASE],
  ['usr/lib/os-release', OS_RELEASE],
  ...['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm'].flatMap((directory) =>
    ['rpmdb.sqlite', 'Packages', 'Packages.db'].map((name): [string, Database] => [
      `${directory}/${name}`,
      name === 'rpmdb.sqlite' ? RPM : OTHER_RPM,
    ]),
  ),
]);

/** Paths of databases that are looked for whatever leads to them. */
export const FIXED_PATHS: readonly string[] = [...AT_PATH]
  .filter(([, { fixed }]) => fixed)
  .map(([path]) => path);

const ELSEWHERE: readonly (readonly [RegExp, Database])[] = [
  [/^var\/lib\/dpkg\/status\.d\/[^/]+$(?<!\.md5sums)/, { ...DPKG, fixed: false }],
  [/\.dist-info\/METADATA$/, oneOf(readPython)],
  [/\.egg-info(?:\/PKG-INFO)?$/, oneOf(readPython)],
  [/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@][^/]*\/package\.json$/, oneOf(readNpm)],
];

/** By which most files are passed over before their paths are known. */
const NAMES =
  /^(?:status|installed|os-release|rpmdb\.sqlite|Packages|Packages\.db|METADATA|PKG-INFO|package\.json)$|\.egg-info$/;
const STATUS_DIR = 'status.d';

/** Whether a file of this name, in a directory of that name, may be a database at all. */
export function mayBeDatabase(name: string, directory: string | undefined): boolean {
  return NAMES.test(name) || directory === STATUS_DIR;
}

/** What lies at a path of an image, if it tells of packages. */
export function databaseAt(path: string): Database | undefined {
  return AT_PATH.get(path) ?? ELSEWHERE.find(([pattern]) => pattern.test(path))?.[1];
}
