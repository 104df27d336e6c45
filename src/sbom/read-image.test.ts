import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Compression } from '../layer/types.ts';
import { entryOf, fileOf, layerOf, type TestEntry } from '../rootfs/extract/testing.ts';
import { readImage } from './read-image.ts';
import { RPM_TABLE, rpmHeader, sqliteFile } from './testing.ts';
import type { Inventory } from './types.ts';

type Layers = readonly (readonly TestEntry[])[];

async function read(
  t: TestContext,
  layers: Layers,
  compressions: readonly Compression[] = ['zstd'],
): Promise<Inventory> {
  const directory = mkdtempSync(join(tmpdir(), 'sbom-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const blobs = [];
  for (const [index, entries] of layers.entries())
    blobs.push(await layerOf(directory, entries, compressions[index % compressions.length]!));
  return readImage(blobs, t.signal);
}

const names = ({ packages }: Inventory): string[] =>
  packages.map(({ ecosystem, name, version, path }) => `${ecosystem} ${name} ${version} ${path}`);

const dpkg = (...packages: readonly (readonly [string, string, string?])[]): string =>
  packages
    .map(([name, version, status = 'install ok installed']) =>
      [`Package: ${name}`, `Status: ${status}`, 'Architecture: all', `Version: ${version}`, ''].join('\n'),
    )
    .join('\n');
const json = (name: string, version: string): string => JSON.stringify({ name, version });

test('packages are those that all layers leave, however these are stored', async (t) => {
  const site = 'usr/lib/python3/site-packages';
  const layers: Layers = [
    [
      fileOf('usr/lib/os-release', 'ID=debian\nVERSION_ID="12"\n'),
      entryOf('symlink', 'etc/os-release', { linkname: '../usr/lib/os-release' }),
      fileOf('var/lib/dpkg/status', dpkg(['old', '1'])),
      fileOf(`${site}/gone-1.dist-info/METADATA`, 'Name: gone\nVersion: 1\n'),
      fileOf(
        `${site}/kept-1.dist-info/METADATA`,
        'Metadata-Version: 2.1\nName: kept\nVersion: 1\n\nName: no\n',
      ),
      fileOf('app/node_modules/hidden/package.json', json('hidden', '1')),
      fileOf('app/node_modules/first/package.json', json('first', '1')),
    ],
    [
      fileOf(
        'var/lib/dpkg/status',
        dpkg(['a', '1:2-3'], ['b', '1', 'deinstall ok config-files'], ['c', '9']),
      ),
      entryOf('file', `${site}/.wh.gone-1.dist-info`),
      entryOf('dir', 'app/node_modules/hidden'),
      entryOf('file', 'app/node_modules/hidden/.wh..wh..opq'),
      fileOf('srv/node_modules/@scope/tool/package.json', json('@scope/tool', '2')),
      entryOf('hardlink', 'srv/node_modules/link/package.json', {
        linkname: 'app/node_modules/first/package.json',
      }),
      fileOf('srv/node_modules/link/sub/package.json', json('no-package', '1')),
    ],
    [fileOf('lib/apk/db/installed', 'C:x\nP:musl\nV:1.2-r0\nA:x86_64\no:musl-src\n\nP:half\n\n')],
  ];
  const expected = [
    'npm first 1 app/node_modules/first/package.json',
    'apk musl 1.2-r0 lib/apk/db/installed',
    'npm @scope/tool 2 srv/node_modules/@scope/tool/package.json',
    'npm first 1 srv/node_modules/link/package.json',
    'pypi kept 1 usr/lib/python3/site-packages/kept-1.dist-info/METADATA',
    'deb a 1:2-3 var/lib/dpkg/status',
    'deb c 9 var/lib/dpkg/status',
  ];
  const ways: readonly (readonly Compression[])[] = [
    ['zstd'],
    ['gzip'],
    ['none'],
    ['gzip', 'zstd', 'zstd'],
    ['zstd', 'gzip', 'none'],
  ];
  for (const compressions of ways) {
    const inventory = await read(t, layers, compressions);
    assert.deepEqual(names(inventory), expected, compressions.join());
    assert.deepEqual(inventory.distribution, { id: 'debian', version: '12' });
    assert.deepEqual(inventory.unread, []);
  }
});

test('each database tells names, versions, licences and who maintains what', async (t) => {
  const header = rpmHeader({
    62: 'a region',
    1000: 'bash',
    1001: '5.2',
    1002: '1.fc41',
    1003: 2,
    1011: 'Fedora Project',
    1014: 'GPL-3.0-or-later',
    1022: 'x86_64',
    1044: 'bash-5.2-1.fc41.src.rpm',
  });
  const key = rpmHeader({ 1000: 'gpg-pubkey', 1001: '1', 1002: '1' });
  const inventory = await read(t, [
    [
      fileOf(
        'var/lib/dpkg/status.d/base',
        'Package: base\nVersion: 1\nSource: src (2)\nMaintainer: A <a@b>\nDescription: x\n more\n',
      ),
      fileOf('var/lib/dpkg/status.d/base.md5sums', 'Package: no\nVersion: 1\n'),
      fileOf('usr/lib/apk/db/installed', 'P:zlib\nV:1-r0\nL:Zlib\nm:B <b@c>\nU:https://zlib.net\n'),
      fileOf('usr/lib/sysimage/rpm/rpmdb.sqlite', sqliteFile(RPM_TABLE, [header, key, Buffer.from('x')])),
      fileOf('opt/x.egg-info', 'Name: egg\r\nVersion: 3\r\nLicense: MIT\r\nAuthor: UNKNOWN\r\n'),
      fileOf(
        'opt/y.egg-info/PKG-INFO',
        'Name: y\nVersion: 4\nLicense-Expression: MIT OR X\nLicense: whole\n text\n',
      ),
      fileOf(
        'node_modules/old/package.json',
        '\uFEFF{"name":"old","version":"1","licenses":[{"type":"MIT"},{"type":"BSD"}],"author":{"name":"C","email":"c@d"}}',
      ),
    ],
  ]);
  assert.deepEqual(inventory.unread, []);
  const plain = inventory.packages.map(({ path: _, ...one }) => one);
  assert.deepEqual(plain, [
    { ecosystem: 'npm', name: 'old', version: '1', license: '(MIT OR BSD)', maintainer: 'C <c@d>' },
    { ecosystem: 'pypi', name: 'egg', version: '3', license: 'MIT' },
    { ecosystem: 'pypi', name: 'y', version: '4', license: 'MIT OR X' },
    {
      ecosystem: 'apk',
      name: 'zlib',
      version: '1-r0',
      license: 'Zlib',
      maintainer: 'B <b@c>',
      homepage: 'https://zlib.net',
    },
    {
      ecosystem: 'rpm',
      name: 'bash',
      version: '5.2-1.fc41',
      arch: 'x86_64',
      epoch: '2',
      upstream: 'bash-5.2-1.fc41.src.rpm',
      license: 'GPL-3.0-or-later',
      maintainer: 'Fedora Project',
    },
    { ecosystem: 'deb', name: 'base', version: '1', upstream: 'src@2', maintainer: 'A <a@b>' },
  ]);
});

test('what means ill is named as not read, and takes nothing with it', async (t) => {
  const status = 'var/lib/dpkg/status';
  const rpm = 'var/lib/rpm/rpmdb.sqlite';
  const npm = 'node_modules/a/package.json';
  const cut = sqliteFile(RPM_TABLE, [Buffer.alloc(9000, 1)]).subarray(0, 9000);
  const cases: readonly (readonly [string, readonly TestEntry[], RegExp | undefined])[] = [
    ['a pipe', [entryOf('fifo', status)], /^var\/lib\/dpkg\/status is no file$/],
    ['a link', [entryOf('symlink', status, { linkname: '/etc/shadow' })], /status is no file$/],
    ['a loop', [entryOf('symlink', 'var/lib/dpkg', { linkname: 'dpkg' })], undefined],
    ['a directory', [entryOf('dir', status)], undefined],
    [
      'a link on the way',
      [entryOf('symlink', 'var/lib/dpkg', { linkname: '/srv' }), fileOf('srv/status', dpkg(['x', '1']))],
      /^var\/lib\/dpkg\/status is reached by links, at srv\/status$/,
    ],
    [
      'too large',
      [fileOf(npm, Buffer.alloc((4 << 20) + 1, 32))],
      /^node_modules\/a\/package.json has more than/,
    ],
    ['no JSON', [fileOf(npm, '{')], /package.json is not JSON$/],
    ['nesting', [fileOf(npm, '['.repeat(1e6))], /package.json is not JSON$/],
    ['no object', [fileOf(npm, 'null')], undefined],
    ['names that are none', [fileOf(npm, '{"name":["a"],"version":{}}')], undefined],
    ['a name without end', [fileOf(npm, JSON.stringify({ name: 'x'.repeat(1e6), version: '1' }))], undefined],
    ['bytes', [fileOf(status, Buffer.from([0, 255, 254, 10, 10, 58, 10]))], undefined],
    ['one line', [fileOf(status, 'x'.repeat(1e6))], undefined],
    ['no SQLite', [fileOf(rpm, 'x')], /rpmdb.sqlite is no SQLite file$/],
    ['nothing', [fileOf(rpm, '')], /rpmdb.sqlite is no SQLite file$/],
    ['SQLite that ends', [fileOf(rpm, cut)], /cannot be read as rpm's database/],
    [
      'a view that never ends',
      [
        fileOf(
          rpm,
          sqliteFile(
            'CREATE VIEW Packages AS WITH RECURSIVE a(blob) AS (SELECT 1 UNION ALL SELECT blob FROM a) SELECT max(blob) AS blob FROM a',
          ),
        ),
      ],
      /it has another table than rpm makes$/,
    ],
    ['another table', [fileOf(rpm, sqliteFile("CREATE TABLE 'Packages' (blob)"))], /another table/],
    ['an older form', [fileOf('var/lib/rpm/Packages', 'x')], /older form, which is not read$/],
    [
      'a header of lies',
      [
        fileOf(
          rpm,
          sqliteFile(RPM_TABLE, [Buffer.alloc(40, 255), Buffer.alloc(7), rpmHeader({ 1000: 'n' })]),
        ),
      ],
      undefined,
    ],
  ];
  const good = fileOf('srv/node_modules/good/package.json', json('good', '1'));
  for (const [what, entries, expected] of cases) {
    for (const compression of ['zstd', 'gzip'] as const) {
      const inventory = await read(t, [[...entries, good]], [compression]);
      assert.deepEqual(names(inventory), ['npm good 1 srv/node_modules/good/package.json'], what);
      const said = inventory.unread.map(({ path, why }) => `${path} ${why}`);
      assert.equal(said.length, expected ? 1 : 0, `${what}: ${said}`);
      if (expected) assert.match(said[0]!, expected, what);
    }
  }
});
