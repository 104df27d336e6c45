import { file, GNU, gnuLong, header, long, paxPart, paxRecord, type TarPart } from '../tar-bytes.ts';
import type { Kind, TarInput } from '../types.ts';
import { tar } from './tar-names.ts';

const raw = (text: string): TarPart => paxPart(Buffer.from(text, 'latin1'));
const xattr = (name: string, value: string | Buffer = 'v'): TarPart =>
  file('f', 'x', { pax: { [`SCHILY.xattr.${name}`]: value } });

/** PAX headers: their records, their sum, and what they say. */
export const tarPax: readonly Kind<TarInput>[] = [
  tar('pax-length-zero', 'refuse', () => [raw('0 a=b\n'), file('f')]),
  tar('pax-length-negative', 'refuse', () => [raw('-5 a=b\n'), file('f')]),
  tar('pax-length-letters', 'refuse', () => [raw('xx a=b\n'), file('f')]),
  tar('pax-length-empty', 'refuse', () => [raw(' a=b\n'), file('f')]),
  tar('pax-length-exponent', 'refuse', () => [raw('6e0 a=b\n'), file('f')]),
  tar('pax-length-hex', 'refuse', () => [raw('0x8 a=b\n'), file('f')]),
  tar('pax-length-plus', 'build', () => [raw('+7 a=b\n'), file('f')]),
  tar('pax-length-zeros', 'either', () => [raw('0000000010 a=b\n'), file('f')]),
  tar('pax-length-over', 'refuse', () => [raw('99 a=b\n'), file('f')]),
  tar('pax-length-huge', 'refuse', () => [raw(`${'9'.repeat(400)} a=b\n`), file('f')]),
  tar('pax-length-one-off', 'refuse', () => [raw('5 a=b\n'), file('f')]),
  tar('pax-no-space', 'refuse', () => [raw('6a=b\n'), file('f')]),
  tar('pax-no-equals', 'refuse', () => [raw('6 abc\n'), file('f')]),
  tar('pax-no-newline', 'refuse', () => [raw('6 a=bc'), file('f')]),
  tar('pax-key-empty', 'either', () => [raw('5 =b\n'), file('f')]),
  tar('pax-key-nul', 'either', () => [paxPart({ 'a\0b': 'c' }), file('f')]),
  tar('pax-key-proto', 'build', () => [
    paxPart({ __proto__x: 'c', constructor: 'd', toString: 'e' }),
    file('f'),
  ]),
  tar('pax-empty', 'build', () => [paxPart(Buffer.alloc(0)), file('f')]),
  tar('pax-nuls', 'either', () => [paxPart(Buffer.alloc(100)), file('f')]),
  tar('pax-alone', 'build', () => [paxPart({ path: 'p' })]),
  tar('pax-twice', 'build', () => [paxPart({ path: 'one' }), paxPart({ mtime: '5' }), file('f')]),
  tar('pax-of-pax', 'build', () => [{ ...paxPart({ path: 'p' }), pax: { size: '3' } }, file('f')]),
  tar('pax-1-mb', 'build', () => [file('f', 'x', { pax: { comment: 'c'.repeat(1_000_000) } })]),
  tar('pax-15-mb', 'refuse', () => [file('f', 'x', { pax: { comment: 'c'.repeat(15_000_000) } })]),
  tar('pax-15-mb-often', 'refuse', fifteenOften),
  tar('pax-claims-8-gib', 'refuse', () => [
    header({ name: 'p', type: 'x', size: Buffer.from('77777777777') }),
    Buffer.alloc(512),
  ]),
  tar('pax-many-keys', 'build', () => [
    file('f', 'x', { pax: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, 'v'])) }),
  ]),
  tar('pax-same-key', 'build', () => [
    paxPart(Buffer.concat(Array.from({ length: 20_000 }, (_, i) => paxRecord('path', `p${i}`)))),
    file('f'),
  ]),
  tar('pax-global-many-keys', 'build', () => [
    globalKeys(20_000),
    ...Array.from({ length: 5000 }, (_, i) => header({ name: `f${i}` })),
  ]),
  tar('pax-global-large', 'either', () => [
    paxPart({ comment: 'c'.repeat(1_000_000), 'SCHILY.xattr.user.x': 'y'.repeat(60_000) }, 'g'),
    ...Array.from({ length: 3000 }, (_, i) => header({ name: `f${i}` })),
  ]),
  tar('pax-global-often', 'either', () =>
    Array.from({ length: 15 }, (_, i) => paxPart({ [`k${i}`]: 'v'.repeat(1_000_000) }, 'g')),
  ),
  tar('pax-global-uid', 'build', () => [paxPart({ uid: '12', mtime: '5' }, 'g'), file('f'), file('g')]),
  tar('pax-global-size', 'build', () => [paxPart({ size: '1' }, 'g'), file('f', 'abc'), file('g', 'abc')]),
  tar('pax-size-letters', 'refuse', () => [file('f', 'abc', { pax: { size: 'abc' } })]),
  tar('pax-size-negative', 'refuse', () => [file('f', 'abc', { pax: { size: '-1' } })]),
  tar('pax-size-huge', 'refuse', () => [file('f', 'abc', { pax: { size: '9223372036854775807' } })]),
  tar('pax-size-fraction', 'refuse', () => [file('f', 'abc', { pax: { size: '1.5' } })]),
  tar('pax-size-other', 'build', () => [file('f', 'abc', { size: 0, pax: { size: '3' } }), file('after')]),
  tar('pax-size-on-dir', 'either', () => [
    { name: 'd/', type: '5', pax: { size: '512' }, content: Buffer.alloc(512) },
    file('after'),
  ]),
  tar('pax-mtime-letters', 'refuse', () => [file('f', 'x', { pax: { mtime: 'now' } })]),
  tar('pax-mtime-inf', 'refuse', () => [file('f', 'x', { pax: { mtime: 'inf' } })]),
  tar('pax-mtime-exponent', 'refuse', () => [file('f', 'x', { pax: { mtime: '1e400' } })]),
  tar('pax-mtime-digits', 'build', () => [file('f', 'x', { pax: { mtime: `1.${'9'.repeat(5000)}` } })]),
  tar('pax-mtime-far', 'build', () => [file('f', 'x', { pax: { mtime: '99999999999999' } })]),
  tar('pax-mtime-negative', 'build', () => [file('f', 'x', { pax: { mtime: '-1.5' } })]),
  tar('pax-uid-letters', 'refuse', () => [file('f', 'x', { pax: { uid: 'root' } })]),
  tar('pax-uid-negative', 'build', () => [file('f', 'x', { pax: { uid: '-1', gid: '-1' } })]),
  tar('pax-uid-33-bits', 'build', () => [file('f', 'x', { pax: { uid: '4294967296' } })]),
  tar('pax-uid-huge', 'build', () => [file('f', 'x', { pax: { uid: '9223372036854775807' } })]),
  tar('pax-charset', 'build', () => [
    file('f', 'x', { pax: { hdrcharset: 'BINARY', charset: 'none', path: Buffer.from([0xff]) } }),
  ]),
  tar('pax-link-on-file', 'build', () => [file('f', 'x', { pax: { linkpath: 'elsewhere' } })]),
  tar('xattr-user', 'build', () => [xattr('user.x')]),
  tar('xattr-empty-name', 'either', () => [xattr('')]),
  tar('xattr-no-namespace', 'either', () => [xattr('plain')]),
  tar('xattr-namespace-only', 'either', () => [xattr('user.')]),
  tar('xattr-long-name', 'either', () => [xattr(`user.${'n'.repeat(255)}`)]),
  tar('xattr-nul', 'either', () => [xattr('user.a\0b')]),
  tar('xattr-64-kb', 'either', () => [xattr('user.x', 'v'.repeat(65_536))]),
  tar('xattr-900-kb', 'either', () => [xattr('user.x', 'v'.repeat(900_000))]),
  tar('xattr-capability-bad', 'either', () => [xattr('security.capability', 'not a capability')]),
  tar('xattr-acl-bad', 'either', () => [xattr('system.posix_acl_access', 'not an acl')]),
  tar('xattr-selinux', 'build', () => [xattr('security.selinux', 'system_u:object_r:x_t:s0')]),
  tar('xattr-unknown', 'either', () => [xattr('nonsense.x')]),
  tar('xattr-many', 'either', () => [
    file('f', 'x', {
      pax: Object.fromEntries(
        Array.from({ length: 2000 }, (_, i) => [`SCHILY.xattr.user.${i}`, 'v'.repeat(20)]),
      ),
    }),
  ]),
  tar('xattr-libarchive', 'either', () => [file('f', 'x', { pax: { 'LIBARCHIVE.xattr.user.x': 'dg==' } })]),
  tar('xattr-libarchive-percent', 'build', () => [
    file('f', 'x', { pax: { 'LIBARCHIVE.xattr.user.%zz': 'dg==' } }),
  ]),
  tar('xattr-libarchive-not-utf8', 'build', () => [
    file('f', 'x', { pax: { 'LIBARCHIVE.xattr.user.%ff%fe': 'dg==' } }),
  ]),
  tar('xattr-libarchive-base64', 'build', () => [
    file('f', 'x', { pax: { 'LIBARCHIVE.xattr.user.x': '!!!' } }),
  ]),
  tar('gnu-name-15-mb', 'refuse', () => [gnuLong('L', `${'n'.repeat(15_000_000)}\0`), file('f')]),
  tar('gnu-name-claims-8-gib', 'refuse', () => [
    header({ name: 'l', type: 'L', magic: GNU, size: Buffer.from('77777777777') }),
    Buffer.alloc(512),
  ]),
  tar('gnu-link-on-file', 'build', () => [gnuLong('K', 'elsewhere\0'), file('f', 'x', { magic: GNU })]),
  {
    ...tar('gnu-names-often', 'either', () => Array.from({ length: 20_000 }, () => gnuLong('L', 'name\0'))),
    notDocker: 'all headers before one entry have a limit (docs/reference/limits.md)',
  },
  {
    ...tar('pax-headers-often', 'either', () => Array.from({ length: 20_000 }, () => paxPart({ path: 'p' }))),
    notDocker: 'all headers before one entry have a limit (docs/reference/limits.md)',
  },
  tar('pax-paths-2-mb', 'refuse', () =>
    Array.from({ length: 8 }, () => long(`${'d'.repeat(200)}/`.repeat(10_000))),
  ),
];

/** Values that each are within what was allowed, and together are not. */
function fifteenOften(): TarPart[] {
  return Array.from({ length: 4 }, (_, i) =>
    file(`f${i}`, 'x', { pax: { comment: 'c'.repeat(15_000_000) } }),
  );
}

function globalKeys(count: number): TarPart {
  return paxPart(Object.fromEntries(Array.from({ length: count }, (_, i) => [`vendor.k${i}`, 'v'])), 'g');
}
