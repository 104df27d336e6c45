import {
  dir,
  file,
  GNU,
  gnuLong,
  hard,
  header,
  link,
  long,
  paxPart,
  paxRecord,
  type TarPart,
  tarOf,
} from '../tar-bytes.ts';
import type { Kind, Must, Place, TarInput } from '../types.ts';

/** Where it was decided to refuse what Docker builds. */
const WITHOUT_DOCKER: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'uid-minus-one',
    'uid-33-bits',
    'uid-negative',
    'uid-62-bits',
    'pax-uid-negative',
    'pax-uid-33-bits',
    'pax-uid-huge',
  ].map((name) => [
    name,
    'an ID that no file can have is refused (docs/reference/limits.md), and Docker takes a part of it',
  ]),
);

/** A kind of tar out of its parts. */
export function tar(
  name: string,
  must: Must,
  parts: (place: Place) => readonly (TarPart | Buffer)[],
  more: { readonly after?: readonly string[]; readonly notDocker?: string } = {},
): Kind<TarInput> {
  const { after, notDocker = WITHOUT_DOCKER[name] } = more;
  return {
    name,
    must: name in WITHOUT_DOCKER ? 'either' : must,
    make: (place) => ({
      bytes: tarOf(parts(place)),
      ...(after ? { after } : {}),
    }),
    ...(notDocker ? { notDocker } : {}),
  };
}

const up = '../'.repeat(12);

/** Names of entries. */
export const tarNames: readonly Kind<TarInput>[] = [
  tar('name-absolute', 'build', () => [file('/abs')]),
  tar('name-absolute-canary', 'build', ({ canary }) => [long(`${canary}/new`)]),
  tar('name-up', 'either', () => [file('../escape')]),
  tar('name-up-many', 'either', ({ canary }) => [long(`${up}${canary.slice(1)}/new`)]),
  tar('name-up-inside', 'either', () => [dir('a'), file('a/../../b')]),
  tar('name-up-and-back', 'build', () => [dir('a'), file('a/../b')]),
  tar('name-up-last', 'build', () => [dir('a'), { name: 'a/..', type: '5', mode: 0o700 }]),
  tar('name-up-only', 'either', () => [{ name: '..', type: '5', mode: 0o700 }]),
  tar('name-up-backslash', 'build', () => [file('..\\..\\x')]),
  tar('name-dot-slash', 'build', () => [file('./x'), file('.//y'), file('z//w')]),
  tar('name-dots-inside', 'build', () => [file('a/./b/./c')]),
  tar('name-three-dots', 'build', () => [file('.../x'), file('..x'), file('x..')]),
  tar('name-empty', 'build', () => [file('')]),
  tar('name-empty-dir', 'build', () => [dir('')]),
  tar('name-empty-pax', 'build', () => [file('kept', 'x', { pax: { path: '' } })]),
  tar('name-root-dir', 'build', () => [dir('./', { mode: 0o700 }), file('x')]),
  tar('name-root-slash', 'build', () => [dir('/', { mode: 0o700 }), file('x')]),
  tar('name-root-file', 'build', () => [file('.'), file('x')]),
  tar('name-root-file-slash', 'build', () => [file('/'), file('x')]),
  tar('name-root-link', 'build', ({ canary }) => [link('.', canary), file('x')]),
  tar('name-root-link-slash', 'build', ({ canary }) => [link('/', canary), file('x')]),
  tar('name-root-hard', 'build', ({ canary }) => [hard('.', `${canary}/secret`), file('x')]),
  tar('name-root-fifo', 'build', () => [{ name: './', type: '6' }, file('x')]),
  tar('name-file-with-slash', 'build', () => [file('f/')]),
  tar('name-nul-pax', 'refuse', () => [file('a', 'x', { pax: { path: 'a\0b' } })]),
  tar('name-nul-in-gnu', 'build', () => [gnuLong('L', 'a\0b\0'), file('y', 'x', { magic: GNU })]),
  tar('name-newline', 'build', () => [file('a\nb')]),
  tar('name-control', 'build', () => [file('a\x1b[2Jb\x07'), file('c\td')]),
  tar('name-not-utf8', 'build', () => [file(Buffer.from([0x61, 0xff, 0xfe, 0x62]))]),
  tar('name-surrogate', 'build', () => [file(Buffer.from([0x61, 0xed, 0xa0, 0x80]))]),
  tar('name-bidi', 'build', () => [file('a\u202eb'), file('e\u0301'), file('\u00e9')]),
  tar('name-255', 'build', () => [long('n'.repeat(255))]),
  tar('name-256', 'refuse', () => [long('n'.repeat(256))]),
  tar('name-4095', 'either', () => [long(`${'d/'.repeat(2046)}f`)]),
  tar('name-4097', 'refuse', () => [long(`${'d/'.repeat(2048)}f`)]),
  tar('name-100000-parts', 'refuse', () => [long(`${'d/'.repeat(100_000)}f`)]),
  tar('name-500000-parts-gnu', 'refuse', () => [gnuLong('L', `${'d/'.repeat(500_000)}f\0`), file('y')]),
  tar('name-8-million-parts', 'refuse', () => [long(`${'d/'.repeat(8_000_000)}f`)]),
  tar('name-8-million-dots', 'either', () => [long(`${'./'.repeat(8_000_000)}f`)]),
  tar('name-million-slashes', 'build', () => [long(`a${'/'.repeat(1_000_000)}f`)]),
  tar('name-gnu-empty', 'build', () => [gnuLong('L', ''), file('y', 'x', { magic: GNU })]),
  tar('name-gnu-twice', 'build', () => [
    gnuLong('L', 'one\0'),
    gnuLong('L', 'two\0'),
    file('y', 'x', { magic: GNU }),
  ]),
  tar('name-gnu-unended', 'build', () => [gnuLong('L', 'one'), file('y', 'x', { magic: GNU })]),
  tar('name-gnu-then-pax', 'build', () => [gnuLong('L', 'gnu\0'), file('y', 'x', { pax: { path: 'pax' } })]),
  tar('name-gnu-alone', 'build', () => [gnuLong('L', 'one\0')]),
  tar('name-prefix-up', 'either', () => [file('x', 'x', { prefix: '../..' })]),
  tar('name-prefix-absolute', 'build', () => [file('x', 'x', { prefix: '/p' })]),
  tar('name-prefix-gnu', 'either', () => [file('x', 'x', { prefix: '../..', magic: GNU })]),
  tar('name-prefix-full', 'build', () => [file('n'.repeat(100), 'x', { prefix: 'p'.repeat(155) })]),
  tar('name-global-path', 'build', () => [paxPart({ path: 'all' }, 'g'), file('a', '1'), file('b', '2')]),
  tar('name-twice', 'either', () => [file('a', 'one'), file('a', 'two')]),
  tar('name-file-then-dir', 'either', () => [file('a'), dir('a'), file('a/b')]),
  tar('name-dir-then-file', 'either', () => [dir('a'), file('a/b'), file('a', 'now a file')]),
  tar('name-file-as-parent', 'either', () => [file('a'), file('a/b')]),
  tar('name-child-first', 'build', () => [file('a/b'), dir('a', { mode: 0o711, uid: 5 })]),
  tar('name-dir-unreadable', 'build', () => [dir('a', { mode: 0 }), file('a/b')]),
  tar('name-dir-twice', 'either', () => [dir('a', { mode: 0o700 }), file('a/b'), dir('a', { mode: 0o711 })]),
  tar('name-many-same', 'either', () => Array.from({ length: 30_000 }, () => header({ name: 'same' }))),
  tar('name-many-dirs', 'build', () => Array.from({ length: 4000 }, (_, i) => dir(`d/${i}/x`))),
  tar('name-deep-many', 'build', () =>
    Array.from({ length: 300 }, (_, i) => long(`${'d/'.repeat(500)}${i}`)),
  ),
  tar('name-proc', 'build', () => [dir('proc'), file('proc/self/x'), file('dev/null'), file('sys/x')]),
  tar('name-own', 'build', () => [file('.envbuilder/built'), link('.envbuilder/bin', '/nowhere')]),
  tar('name-record-unended', 'either', () => [paxPart(paxRecord('path', 'p').subarray(0, -1)), file('a')]),
];
