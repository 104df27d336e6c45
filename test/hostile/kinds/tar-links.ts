import { dir, file, hard, link, long } from '../tar-bytes.ts';
import type { Kind, TarInput } from '../types.ts';
import { tar } from './tar-names.ts';

const up = '../'.repeat(16);

/** Links that lead out, in circles, or to what is not there. */
export const tarLinks: readonly Kind<TarInput>[] = [
  tar('link-out-then-through', 'build', ({ canary }) => [link('l', canary), file('l/new')]),
  tar('link-out-up-then-through', 'either', ({ canary }) => [
    link('l', `${up}${canary.slice(1)}`),
    file('l/new'),
  ]),
  tar('link-out-overwritten', 'either', ({ canary }) => [link('l', `${canary}/secret`), file('l', 'mine')]),
  tar('link-out-made-dir', 'either', ({ canary }) => [link('l', canary), dir('l'), file('l/new')]),
  tar('link-out-dir-below', 'build', ({ canary }) => [link('l', canary), dir('l/dir', { mode: 0 })]),
  tar('link-out-link-below', 'build', ({ canary }) => [link('l', canary), link('l/new', 'x')]),
  tar('link-out-fifo-below', 'build', ({ canary }) => [link('l', canary), { name: 'l/new', type: '6' }]),
  tar('link-out-hard-below', 'build', ({ canary }) => [file('a'), link('l', canary), hard('l/new', 'a')]),
  tar('link-out-hard-from', 'either', ({ canary }) => [
    link('l', canary),
    hard('h', 'l/secret'),
    file('h', 'mine'),
  ]),
  tar('link-out-xattr', 'either', ({ canary }) => [
    link('l', `${canary}/secret`, { pax: { 'SCHILY.xattr.user.x': 'x', linkpath: `${canary}/secret` } }),
  ]),
  tar('link-out-mode', 'build', ({ canary }) => [
    link('l', `${canary}/secret`, { mode: 0o7777, uid: 7, gid: 7 }),
  ]),
  tar('link-out-whiteout-below', 'build', ({ canary }) => [link('l', canary), file('l/.wh.secret', '')]),
  tar('link-out-opaque-below', 'build', ({ canary }) => [link('l', canary), file('l/.wh..wh..opq', '')]),
  tar('link-out-twice', 'build', ({ canary }) => [link('a', canary), link('b', 'a'), file('b/new')]),
  tar('link-out-deep', 'either', ({ canary }) => [
    dir('d1/d2/d3'),
    link('d1/d2/d3/up', `${up}`),
    link('e', `d1/d2/d3/up/${canary.slice(1)}`),
    file('e/new'),
  ]),
  tar('link-up-step-by-step', 'either', () => [
    dir('a/b/c'),
    link('a/b/c/up', '../..'),
    link('a/b/c/up2', 'up/../..'),
    link('e', 'a/b/c/up2/../..'),
    file('e/new'),
  ]),
  tar('link-in-then-through', 'build', () => [dir('d'), link('l', 'd'), file('l/new')]),
  tar('link-in-absolute-through', 'build', () => [dir('d'), link('l', '/d'), file('l/new')]),
  tar('link-in-dir-again', 'either', () => [dir('d'), link('l', 'd'), dir('l'), file('l/new')]),
  tar('link-loop', 'build', () => [link('a', 'b'), link('b', 'a')]),
  tar('link-loop-through', 'refuse', () => [link('a', 'b'), link('b', 'a'), file('a/x')]),
  tar('link-self', 'build', () => [link('a', 'a')]),
  tar('link-self-through', 'refuse', () => [link('a', 'a'), file('a/x')]),
  tar('link-chain-60', 'build', () => Array.from({ length: 60 }, (_, i) => link(`l${i}`, `l${i + 1}`))),
  tar('link-empty', 'either', () => [link('l', '')]),
  tar('link-4095', 'build', () => [link('l', 'x/'.repeat(2047))]),
  tar('link-4096', 'refuse', () => [link('l', 'x/'.repeat(2048))]),
  tar('link-100000', 'refuse', () => [link('l', 'x'.repeat(100_000))]),
  tar('link-8-million', 'refuse', () => [link('l', 'x/'.repeat(4_000_000))]),
  tar('link-nul', 'either', () => [link('l', 'a', { pax: { linkpath: 'a\0b' } })]),
  tar('link-not-utf8', 'build', () => [link('l', Buffer.from([0xff, 0xfe]))]),
  tar('link-with-content', 'either', () => [
    link('l', 'x', { size: 3, content: Buffer.from('abc') }),
    file('after'),
  ]),
  tar('link-proc-root', 'build', () => [link('l', '/proc/self/root'), link('m', '/proc/1/cwd')]),
  tar('link-proc-through', 'build', ({ canary }) => [link('l', '/proc/self/root'), long(`l${canary}/new`)]),
  tar('link-fd-through', 'build', () => [link('l', '/proc/self/fd'), file('l/3')]),
  tar('link-etc', 'build', ({ canary }) => [link('etc', canary), link('usr', '/etc')]),
  tar('hard-out', 'either', ({ canary }) => [hard('h', `${canary}/secret`)]),
  tar('hard-out-up', 'either', ({ canary }) => [hard('h', `${up}${canary.slice(1)}/secret`)]),
  tar('hard-out-written', 'either', ({ canary }) => [hard('h', `${canary}/secret`), file('h', 'mine')]),
  tar('hard-missing', 'either', () => [hard('h', 'nothing')]),
  tar('hard-self', 'either', () => [hard('h', 'h')]),
  tar('hard-empty', 'either', () => [hard('h', '')]),
  tar('hard-root', 'either', () => [hard('h', '/')]),
  tar('hard-dir', 'either', () => [dir('d'), hard('h', 'd')]),
  tar('hard-later', 'either', () => [hard('h', 'later'), file('later')]),
  tar('hard-to-link', 'build', ({ canary }) => [link('l', canary), hard('h', 'l')]),
  tar('hard-to-link-through', 'build', ({ canary }) => [link('l', canary), hard('h', 'l'), file('h/new')]),
  tar('hard-to-link-mode', 'build', ({ canary }) => [
    link('l', `${canary}/secret`),
    hard('h', 'l', { mode: 0o777, uid: 9 }),
  ]),
  tar('hard-through-link', 'either', ({ canary }) => [link('l', canary), hard('h', 'l/dir/file')]),
  tar('hard-fifo', 'build', () => [{ name: 'p', type: '6' }, hard('h', 'p')]),
  tar('hard-content', 'either', () => [
    file('a', 'one'),
    hard('h', 'a', { content: Buffer.from('two') }),
    file('after'),
  ]),
  tar('hard-chain', 'build', () => [
    file('a'),
    ...Array.from({ length: 200 }, (_, i) => hard(`h${i}`, i ? `h${i - 1}` : 'a')),
  ]),
  tar('hard-replaced', 'either', () => [file('a', '1'), hard('h', 'a'), file('a', '2')]),
  tar('hard-over-dir', 'either', () => [file('a'), dir('d'), file('d/x'), hard('d', 'a')]),
  tar('hard-up', 'either', () => [file('a'), hard('h', '../a')]),
];
