import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../core/digest.ts';
import { fileOf, layerOf } from '../rootfs/extract/testing.ts';
import { spdxDocument } from './document.ts';
import { isLicenseExpression } from './license.ts';
import { readImage } from './read-image.ts';
import { RPM_TABLE, rpmHeader, sqliteFile } from './testing.ts';
import type { Inventory } from './types.ts';

const IMAGE = {
  name: 'registry.example/team/app',
  digest: digestOf('image'),
  platform: { os: 'linux', architecture: 'amd64' },
  created: '2026-01-02T03:04:05.678Z',
  hasRuntime: false,
};

interface Written {
  readonly creationInfo: { readonly created: string };
  readonly documentNamespace: string;
  readonly comment?: string;
  readonly packages: readonly {
    readonly SPDXID: string;
    readonly supplier?: string;
    readonly licenseDeclared: string;
    readonly externalRefs?: readonly { readonly referenceLocator: string }[];
  }[];
  readonly relationships: readonly { readonly relatedSpdxElement: string }[];
  readonly hasExtractedLicensingInfos?: readonly { readonly licenseId: string }[];
}

const written = (inventory: Inventory, hasRuntime = false): Written =>
  JSON.parse(JSON.stringify(spdxDocument({ ...IMAGE, hasRuntime }, inventory, '1.2.3')));

/** What SPDX 2.3 wants of the fields that texts of an image get into. */
function assertWellFormed(document: Written): void {
  const ids = document.packages.map(({ SPDXID }) => SPDXID);
  assert.equal(new Set(ids).size, ids.length);
  const licenses = new Set(document.hasExtractedLicensingInfos?.map(({ licenseId }) => licenseId));
  for (const { SPDXID, supplier = 'NOASSERTION', licenseDeclared, externalRefs = [] } of document.packages) {
    assert.match(SPDXID, /^SPDXRef-[A-Za-z0-9.-]+$/);
    assert.match(supplier, /^(?:NOASSERTION|(?:Person|Organization): [^()]+(?: \([^\s()@]+@[^\s()@]+\))?)$/);
    const known = licenseDeclared === 'NOASSERTION' || isLicenseExpression(licenseDeclared);
    assert.ok(known || licenses.has(licenseDeclared), licenseDeclared);
    for (const { referenceLocator } of externalRefs) assert.match(referenceLocator, /^pkg:[a-z]+\/[!-~]+$/);
  }
  assert.deepEqual(
    document.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement).sort(),
    [...ids].sort(),
  );
  assert.doesNotMatch(JSON.stringify(document), /\\u00[01]|\\u007f|\\ud[89a-f]/i);
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    'MIT',
    'GPLv2+',
    'LicenseRef-x',
    'A <a@b>',
    'a (b) <c@d (e)>',
    '<x>',
    '@s/n',
    '../..',
    'a/b',
    '1:2+3~4',
  ),
);
const DATABASES: Readonly<Record<string, Buffer>> = {
  'var/lib/dpkg/status': Buffer.from(
    'Package: a\nStatus: install ok installed\nVersion: 1\nSource: b (2)\nMaintainer: A <a@b>\n\n',
  ),
  'lib/apk/db/installed': Buffer.from('P:a\nV:1\nL:MIT\nm:A <a@b>\n\n'),
  'x.dist-info/METADATA': Buffer.from('Name: a\nVersion: 1\nLicense: MIT\nAuthor: A\n\n'),
  'node_modules/a/package.json': Buffer.from('{"name":"a","version":"1","license":"MIT","author":"A <a@b>"}'),
  'etc/os-release': Buffer.from('ID=debian\nVERSION_ID="12"\n'),
  'var/lib/rpm/rpmdb.sqlite': sqliteFile(RPM_TABLE, [
    rpmHeader({ 1000: 'a', 1001: '1', 1003: 7, 1014: 'MIT' }),
  ]),
};

test('whatever databases say, the document is one', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sbom-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const change = fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.oneof(text, fc.constantFrom('\0', '\n', '\xff')),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 4 }), fc.boolean(), async (changes, gzip) => {
      const files = Object.entries(DATABASES).map(([path, whole]) => {
        let bytes = whole;
        for (const [where, put] of changes) {
          const at = Math.floor(where * bytes.length);
          const inserted = Buffer.from(put, 'latin1');
          // SQLite's pages stay where they are.
          const after = path.endsWith('.sqlite') ? at + inserted.length : at;
          bytes = Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(after)]);
        }
        return fileOf(path, bytes);
      });
      const blob = await layerOf(directory, files, gzip ? 'gzip' : 'zstd');
      const inventory = await readImage([blob], t.signal);
      rmSync(blob.file);
      assertWellFormed(written(inventory));
    }),
    { numRuns: 60 },
  );
});

test('any packages make a document, the same for the same image', () => {
  const one = fc.record({
    ecosystem: fc.constantFrom('deb', 'apk', 'rpm', 'pypi', 'npm'),
    name: text,
    version: text,
    license: text,
    maintainer: text,
    homepage: text,
    arch: text,
    path: text,
  });
  const line = (value: string): string => value.toWellFormed().replace(/\p{Cc}/gu, ' ');
  fc.assert(
    fc.property(fc.array(one, { maxLength: 6 }), fc.boolean(), (found, hasRuntime) => {
      const packages = found.map((each) =>
        Object.fromEntries(Object.entries(each).map(([name, value]) => [name, line(value)])),
      ) as unknown as Inventory['packages'];
      const inventory: Inventory = { packages, distribution: { id: 'x', version: '1' }, unread: [] };
      const document = written(inventory, hasRuntime);
      assertWellFormed(document);
      assert.deepEqual(written({ ...inventory, packages: packages.toReversed() }, hasRuntime), document);
    }),
    { numRuns: 200 },
  );
});

test('the time is that of the image, and what is not read stands in the comment', () => {
  const packages = [{ ecosystem: 'npm', name: 'a', version: '1', path: 'p' }] as const;
  const unread = Array.from({ length: 30 }, (_, i) => ({ path: `d${i}`, why: 'is odd' }));
  const document = written({ packages, distribution: undefined, unread });
  assert.equal(document.creationInfo.created, '2026-01-02T03:04:05Z');
  assert.match(document.comment!, /d0 is odd; d1 is odd;.*d19 is odd; 10 more\.$/);
  assert.notEqual(
    written({ packages, distribution: undefined, unread: [] }).documentNamespace,
    document.documentNamespace,
  );
});
