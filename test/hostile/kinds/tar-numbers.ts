import { base256, dir, file, GNU, header } from '../tar-bytes.ts';
import type { Kind, TarInput } from '../types.ts';
import { tar } from './tar-names.ts';

const digits = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Numbers, checksums and magics of headers, and where the archive ends. */
export const tarNumbers: readonly Kind<TarInput>[] = [
  tar('size-short', 'either', () => [header({ name: 'f', size: 2000 }), Buffer.alloc(512)]),
  tar('size-huge', 'refuse', () => [
    header({ name: 'f', size: base256((1n << 62n) - 1n, 12) }),
    Buffer.alloc(512),
  ]),
  tar('size-8-gib', 'refuse', () => [header({ name: 'f', size: digits('77777777777') }), Buffer.alloc(512)]),
  tar('size-negative', 'refuse', () => [header({ name: 'f', size: base256(-1n, 12) }), Buffer.alloc(512)]),
  tar('size-over-64-bits', 'refuse', () => [header({ name: 'f', size: base256(1n << 80n, 12) })]),
  tar('size-letters', 'refuse', () => [header({ name: 'f', size: digits('abcdefghijk') })]),
  tar('size-minus', 'refuse', () => [header({ name: 'f', size: digits('-0000000001') })]),
  tar('size-nines', 'refuse', () => [header({ name: 'f', size: digits('00000000009') })]),
  tar('size-spaces', 'build', () => [header({ name: 'f', size: digits('           ') }), file('after')]),
  tar('size-empty', 'build', () => [header({ name: 'f', size: Buffer.alloc(12) }), file('after')]),
  tar('size-no-nul', 'build', () => [header({ name: 'f', size: digits('000000000000') }), file('after')]),
  tar('size-split', 'either', () => [
    header({ name: 'f', size: digits('0000 000001\0') }),
    Buffer.alloc(512),
    file('after'),
  ]),
  tar('size-on-dir', 'either', () => [dir('d', { content: Buffer.from('abc') }), file('after')]),
  tar('size-hides-entry', 'build', () => [{ name: 'f', content: header({ name: 'hidden' }) }]),
  tar('mode-all', 'build', () => [file('f', 'x', { mode: 0o7777 }), dir('d', { mode: 0o7777 })]),
  tar('mode-huge', 'build', () => [file('f', 'x', { mode: digits('77777777') })]),
  tar('mode-type-bits', 'build', () => [file('f', 'x', { mode: 0o120644 }), dir('d', { mode: 0o100755 })]),
  tar('mode-negative', 'build', () => [file('f', 'x', { mode: base256(-1n, 8) })]),
  tar('mode-letters', 'refuse', () => [file('f', 'x', { mode: digits('rwxr-xr') })]),
  tar('mode-none', 'build', () => [file('f', 'x', { mode: 0 }), dir('d', { mode: 0 }), file('d/x')]),
  tar('uid-largest', 'build', () => [
    file('f', 'x', { uid: base256(4294967294n, 8), gid: base256(4294967294n, 8) }),
  ]),
  tar('uid-minus-one', 'build', () => [
    file('f', 'x', { uid: base256(4294967295n, 8), gid: base256(4294967295n, 8) }),
  ]),
  tar('uid-33-bits', 'build', () => [file('f', 'x', { uid: base256(1n << 32n, 8) })]),
  tar('uid-negative', 'build', () => [file('f', 'x', { uid: base256(-2n, 8), gid: base256(-2n, 8) })]),
  tar('uid-62-bits', 'build', () => [file('f', 'x', { uid: base256((1n << 55n) - 1n, 8) })]),
  tar('uid-letters', 'refuse', () => [file('f', 'x', { uid: digits('root\0\0\0') })]),
  tar('mtime-negative', 'build', () => [file('f', 'x', { mtime: base256(-1_000_000n, 12) })]),
  tar('mtime-far', 'build', () => [file('f', 'x', { mtime: base256(1n << 40n, 12) })]),
  tar('mtime-63-bits', 'build', () => [file('f', 'x', { mtime: base256((1n << 62n) - 1n, 12) })]),
  tar('mtime-lowest', 'build', () => [file('f', 'x', { mtime: base256(-(1n << 62n), 12) })]),
  tar('mtime-letters', 'refuse', () => [file('f', 'x', { mtime: digits('yesterday') })]),
  tar('checksum-wrong', 'refuse', () => [file('f', 'x', { checksum: 1 })]),
  tar('checksum-zero', 'refuse', () => [file('f', 'x', { checksum: Buffer.alloc(8) })]),
  tar('checksum-letters', 'refuse', () => [file('f', 'x', { checksum: digits('abcdefgh') })]),
  tar('checksum-signed', 'build', signedSum),
  tar('magic-none', 'build', () => [file('f', 'x', { magic: '\0'.repeat(8) })]),
  tar('magic-garbage', 'build', () => [file('f', 'x', { magic: 'garbage!' })]),
  tar('magic-gnu', 'build', () => [file('f', 'x', { magic: GNU })]),
  tar('magic-gnu-prefix-bytes', 'build', () => [
    file('f', 'x', { magic: GNU, poke: { 345: Buffer.alloc(155, 0x37) } }),
  ]),
  tar('magic-star', 'build', () => [file('f', 'x', { poke: { 508: digits('tar\0') }, prefix: 'p' })]),
  tar('block-ones', 'refuse', () => [Buffer.alloc(512, 0xff)]),
  tar('block-text', 'refuse', () => [Buffer.from('this is no archive at all\n'.repeat(40))]),
  tar('block-noise', 'refuse', () => [
    Buffer.from(Array.from({ length: 2048 }, (_, i) => (i * 7919 + (i >> 3)) & 0xff)),
  ]),
  ...ends(),
];

/** A header whose sum over signed bytes stands in it, as old writers made it. */
function signedSum(): Buffer[] {
  const block = header({ name: Buffer.from([0xe9, 0xe8]) });
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (let at = 0; at < block.length; at += 1) sum += block.readInt8(at);
  digits(`${sum.toString(8).padStart(6, '0')}\0 `).copy(block, 148);
  return [block];
}

function ends(): Kind<TarInput>[] {
  const whole = Buffer.concat([header({ name: 'f', size: 600 }), Buffer.alloc(1024, 'x')]);
  const cut = (name: string, bytes: Buffer, must: Kind<TarInput>['must']): Kind<TarInput> => ({
    name,
    must,
    make: () => ({ bytes }),
  });
  const zeros = (count: number): Buffer => Buffer.alloc(count);
  return [
    cut('end-empty', zeros(0), 'build'),
    cut('end-one-byte', zeros(1), 'either'),
    cut('end-511', zeros(511), 'either'),
    cut('end-one-block', zeros(512), 'build'),
    cut('end-two-blocks', zeros(1024), 'build'),
    cut('end-none', whole, 'build'),
    cut('end-one-after', Buffer.concat([whole, zeros(512)]), 'build'),
    cut('end-no-padding', whole.subarray(0, 512 + 600), 'build'),
    cut('end-in-content', whole.subarray(0, 512 + 599), 'refuse'),
    cut('end-in-header', Buffer.concat([whole, whole.subarray(0, 300)]), 'either'),
    cut('end-zeros-20-mb', Buffer.concat([whole, zeros(20_000_000)]), 'build'),
    cut('end-zero-between', Buffer.concat([whole, zeros(512), header({ name: 'g' }), zeros(1024)]), 'either'),
    cut('end-then-garbage', Buffer.concat([whole, zeros(1024), Buffer.alloc(5000, 'g')]), 'build'),
    cut('end-then-tar', Buffer.concat([whole, zeros(1024), header({ name: 'g' }), zeros(1024)]), 'build'),
    cut('end-odd-length', Buffer.concat([whole, zeros(1024), zeros(77)]), 'build'),
  ];
}
