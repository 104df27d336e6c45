import { dirname } from 'node:path';
import { FOLDER, KEPT } from '../container.ts';
import { dir, file, hard, link, long, type TarPart } from '../tar-bytes.ts';
import type { Kind, TarInput } from '../types.ts';
import { tar } from './tar-names.ts';

const below = (path: string): string => path.slice(1);
const top = (path: string): string => below(path).split('/')[0]!;
const fifo = (name: string): TarPart => ({ name, type: '6' });
const user = (home: string): readonly TarPart[] => [
  file('etc/passwd', `who:x:7:7::${home}:/bin/sh\n`),
  file('etc/group', 'who:x:7:\n'),
];
const asUser = { after: ['USER who'] };

/** Names that a container of ours has for something else: its volumes, its kept paths, its files, and our own. */
export const tarPlaces: readonly Kind<TarInput>[] = [
  tar('place-workspace', 'build', () => [
    file(`${below(FOLDER)}/Dockerfile`, 'FROM scratch\n'),
    file(`${below(FOLDER)}/new`),
  ]),
  tar('place-workspace-copied', 'build', () => [file(`${below(FOLDER)}/a`, 'other')], {
    after: [`COPY a ${FOLDER}/new`, `WORKDIR ${FOLDER}/made`],
  }),
  tar('place-workspace-file', 'build', () => [file(top(FOLDER))]),
  tar('place-workspace-fifo', 'build', () => [fifo(below(FOLDER))]),
  tar('place-workspace-link', 'build', ({ canary }) => [link(top(FOLDER), canary)]),
  tar('place-workspace-link-inside', 'build', () => [dir('w/app'), link(top(FOLDER), 'w'), file('w/app/a')]),
  tar('place-workspace-link-loop', 'build', () => [link(top(FOLDER), `/${top(FOLDER)}`)]),
  tar('place-workspace-hard', 'build', () => [
    file(`${below(FOLDER)}/a`, 'other'),
    hard('h', `${below(FOLDER)}/a`),
  ]),
  tar('place-workspace-closed', 'build', () => [dir(top(FOLDER), { mode: 0, uid: 9 })]),
  tar('place-kept', 'build', () => [file(`${below(KEPT)}/file`, 'other'), file(`${below(KEPT)}/new`)]),
  tar('place-kept-file', 'build', () => [file(below(KEPT))]),
  tar('place-kept-link', 'build', ({ canary }) => [link(below(KEPT), canary)]),
  tar('place-kept-hard', 'either', () => [hard('h', `${below(KEPT)}/file`), file('h', 'written')]),
  tar('place-mount', 'build', ({ canary }) => [
    long(`${below(canary)}/secret`),
    long(`${below(canary)}/new`),
  ]),
  tar('place-mount-file', 'build', ({ canary }) => [long(below(canary))]),
  tar('place-mount-link', 'build', ({ canary }) => [link(below(canary), FOLDER)]),
  tar('place-mount-above', 'build', ({ canary }) => [link(below(dirname(canary)), KEPT)]),
  tar('place-mount-entry', 'build', ({ canary }) => [
    link('etc/resolv.conf', `${canary}/secret`),
    link('etc/hosts', `${canary}/new`),
    fifo('etc/hostname'),
  ]),
  tar('place-mount-entry-dir', 'build', () => [file('etc/resolv.conf/x'), file('etc/hosts/x')]),
  tar('place-mount-entry-chmod', 'build', () => [
    file('dev/null', '', { mode: 0, uid: 9 }),
    file('etc/hosts', 'x', { mode: 0, uid: 9 }),
    dir('etc', { mode: 0o700, uid: 9 }),
  ]),
  tar('place-system-links', 'build', ({ canary }) => [
    link('proc', canary),
    link('dev', canary),
    link('sys', canary),
  ]),
  tar('place-system-files', 'build', () => [file('proc'), file('dev'), fifo('sys')]),
  tar('place-whiteouts', 'build', ({ canary }) => [
    ...[FOLDER, KEPT, canary, '/proc', '/etc', '/.envbuilder'].map((path) => file(`.wh.${top(path)}`, '')),
    file('.envbuilder/.wh.bin', ''),
    file(`${below(FOLDER)}/.wh..wh..opq`, ''),
  ]),
  tar('place-own-file', 'build', () => [file('.envbuilder')]),
  tar('place-own-link', 'build', ({ canary }) => [link('.envbuilder', canary)]),
  tar('place-own-program', 'build', () => [
    file('.envbuilder/bin/node', 'x', { mode: 0o755 }),
    file('.envbuilder/bin/envbuilder', 'x', { mode: 0o755 }),
    file('.envbuilder/image', '{}'),
  ]),
  tar('place-own-dirs', 'build', ({ canary }) => [
    link('.envbuilder/work', canary),
    link('.envbuilder/state', canary),
    link('.envbuilder.inplace', canary),
  ]),
  tar('place-environment-link', 'either', () => [link('etc/environment', '/proc/self/mem')]),
  tar('place-environment-fifo', 'either', () => [fifo('etc/environment')]),
  tar('place-environment-large', 'either', () => [file('etc/environment', Buffer.alloc(3_000_000, 'A=b\n'))]),
  tar('place-environment-odd', 'build', () => [
    file('etc/environment', `=\n\0=\0\nA\nLD_PRELOAD=/x\nNODE_OPTIONS=--x\n${'B'.repeat(200_000)}=c\n`),
  ]),
  ...['', '/', '//', '/../', '.', 'x', '/etc/passwd', '/.envbuilder', '/proc'].map((home, at) =>
    tar(`place-home-${at}`, 'build', () => user(home), asUser),
  ),
  tar('place-home-link', 'build', ({ canary }) => [...user('/l'), link('l', canary)], asUser),
];
