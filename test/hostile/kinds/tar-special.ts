import { base256, dir, file, header, link } from '../tar-bytes.ts';
import type { Kind, TarInput } from '../types.ts';
import { tar } from './tar-names.ts';

const device = (name: string, type: string, major: number | Buffer, minor: number | Buffer) => ({
  name,
  type,
  major,
  minor,
});

/** Who a step is given to: both files are read by name lookups. */
const chown = ['COPY --chown=who:who a /given'];

/** Whiteouts, devices, and files that a build itself reads. */
export const tarSpecial: readonly Kind<TarInput>[] = [
  tar('whiteout-missing', 'build', () => [file('.wh.nothing', ''), file('x')]),
  tar('whiteout-empty', 'either', () => [file('.wh.', ''), file('x')]),
  tar('whiteout-dot', 'either', () => [file('d/.wh..', ''), file('x')]),
  tar('whiteout-dots', 'either', () => [file('d/.wh...', ''), file('x')]),
  tar('whiteout-slash', 'build', () => [dir('d/.wh.a'), file('d/.wh.a/x')]),
  tar('whiteout-own', 'either', () => [file('a'), file('.wh.a', '')]),
  tar('whiteout-own-after', 'build', () => [file('.wh.a', ''), file('a')]),
  tar('whiteout-own-dir', 'either', () => [dir('d'), file('d/x'), file('.wh.d', '')]),
  tar('whiteout-opaque-late', 'build', () => [dir('d'), file('d/x'), file('d/.wh..wh..opq', '')]),
  tar('whiteout-opaque-root', 'build', () => [file('.wh..wh..opq', ''), file('x')]),
  tar('whiteout-opaque-file', 'build', () => [file('f'), file('f/.wh..wh..opq', '')]),
  tar('whiteout-aufs', 'build', () => [
    file('.wh..wh.aufs', ''),
    dir('.wh..wh.plnk'),
    file('.wh..wh.plnk/1.2', 'x'),
    file('x'),
  ]),
  tar('whiteout-link', 'build', ({ canary }) => [link('.wh.a', canary), file('x')]),
  tar('whiteout-content', 'build', () => [file('.wh.a', 'content'), file('x')]),
  tar('whiteout-double', 'build', () => [file('.wh..wh.a', ''), file('x')]),
  tar('whiteout-device', 'build', () => [device('d', '3', 0, 0), file('x')]),
  tar('whiteout-255', 'build', () => [{ name: 'x', pax: { path: `.wh.${'n'.repeat(252)}` } }]),
  tar('overlay-opaque', 'build', () => [
    dir('d', { pax: { 'SCHILY.xattr.trusted.overlay.opaque': 'y' } }),
    file('d/x'),
  ]),
  tar('overlay-redirect', 'build', ({ canary }) => [
    dir('d', { pax: { 'SCHILY.xattr.trusted.overlay.redirect': canary } }),
    file('d/x'),
  ]),
  tar('overlay-metacopy', 'build', ({ canary }) => [
    file('f', '', {
      pax: {
        'SCHILY.xattr.trusted.overlay.metacopy': '',
        'SCHILY.xattr.trusted.overlay.redirect': `${canary}/secret`,
      },
    }),
  ]),
  tar('overlay-whiteout-xattr', 'build', () => [
    file('f', '', { pax: { 'SCHILY.xattr.trusted.overlay.whiteout': 'y' } }),
  ]),
  tar('overlay-user', 'build', () => [dir('d', { pax: { 'SCHILY.xattr.user.overlay.opaque': 'y' } })]),
  tar('device-null', 'build', () => [device('n', '3', 1, 3)]),
  tar('device-disk', 'build', () => [device('sda', '4', 8, 0)]),
  tar('device-zero', 'build', () => [device('z', '3', 1, 5)]),
  tar('device-huge', 'either', () => [device('d', '3', base256(1n << 40n, 8), base256(1n << 40n, 8))]),
  tar('device-negative', 'either', () => [device('d', '4', base256(-1n, 8), base256(-1n, 8))]),
  tar('device-largest', 'build', () => [device('d', '3', 4095, 1048575)]),
  tar('device-content', 'either', () => [
    { ...device('d', '3', 1, 3), content: Buffer.from('abc') },
    file('after'),
  ]),
  tar('fifo', 'build', () => [{ name: 'p', type: '6' }]),
  tar('fifo-content', 'either', () => [{ name: 'p', type: '6', content: Buffer.from('abc') }, file('after')]),
  tar('fifo-over-file', 'either', () => [file('p'), { name: 'p', type: '6' }]),
  tar('passwd-fifo', 'either', () => [{ name: 'etc/passwd', type: '6' }, file('etc/group', 'who:x:7:\n')], {
    after: chown,
  }),
  tar(
    'group-fifo',
    'either',
    () => [file('etc/passwd', 'who:x:7:7::/:/bin/sh\n'), { name: 'etc/group', type: '6' }],
    { after: chown, notDocker: 'Docker waits for somebody to write into it' },
  ),
  tar('passwd-zero', 'either', () => [device('etc/passwd', '3', 1, 5), file('etc/group', 'who:x:7:\n')], {
    after: chown,
    notDocker: 'Docker reads /dev/zero until it has no memory left',
  }),
  tar(
    'passwd-out',
    'either',
    ({ canary }) => [link('etc/passwd', `${canary}/secret`), link('etc/group', `${canary}/secret`)],
    { after: chown },
  ),
  tar('passwd-loop', 'either', () => [link('etc/passwd', 'passwd'), link('etc/group', 'passwd')], {
    after: chown,
  }),
  tar('passwd-dir', 'either', () => [dir('etc/passwd'), dir('etc/group')], { after: chown }),
  tar(
    'passwd-long-line',
    'either',
    () => [file('etc/passwd', Buffer.alloc(12_000_000, 'a')), file('etc/group', 'who:x:7:\n')],
    { after: chown },
  ),
  tar(
    'passwd-nul',
    'build',
    () => [file('etc/passwd', 'who:x:7:7\0::/:/bin/sh\n'), file('etc/group', 'who:x:7\0:\n')],
    { after: chown },
  ),
  tar(
    'passwd-id-huge',
    'build',
    () => [file('etc/passwd', 'who:x:99999999999:7::/:/bin/sh\n'), file('etc/group', 'who:x:-5:\n')],
    { after: chown },
  ),
  tar(
    'passwd-id-text',
    'build',
    () => [file('etc/passwd', 'who:x:seven:7::/:/bin/sh\n'), file('etc/group', 'who::\n')],
    { after: chown },
  ),
  tar('copied-onto-link', 'build', ({ canary }) => [link('given', canary)], { after: ['COPY a /given'] }),
  tar('copied-through-link', 'build', ({ canary }) => [link('given', canary)], {
    after: ['COPY a /given/'],
  }),
  tar('copied-onto-fifo', 'build', () => [{ name: 'given', type: '6' }], { after: ['COPY a /given'] }),
  tar('copied-onto-loop', 'either', () => [link('given', 'given')], { after: ['COPY a /given/x'] }),
  tar(
    'copied-through-up',
    'build',
    ({ canary }) => [link('given', `${'../'.repeat(16)}${canary.slice(1)}`)],
    { after: ['COPY a /given/'] },
  ),
  tar('workdir-link', 'build', ({ canary }) => [link('given', canary)], { after: ['WORKDIR /given/w'] }),
  tar('workdir-file', 'either', () => [file('given')], { after: ['WORKDIR /given/w'] }),
  tar('type-unknown', 'either', () => [{ name: 'u', type: 'Z', content: Buffer.from('abc') }, file('after')]),
  tar('type-high', 'either', () => [{ name: 'u', type: '\x80' }, file('after')]),
  tar('type-contiguous', 'either', () => [{ name: 'c', type: '7', content: Buffer.from('abc') }]),
  tar('type-nul', 'build', () => [
    { name: 'c', type: '\0', content: Buffer.from('abc') },
    { name: 'd/', type: '\0' },
  ]),
  tar('type-volume', 'either', () => [
    { name: 'label', type: 'V' },
    { name: 'multi', type: 'M' },
    file('after'),
  ]),
  tar('type-dumpdir', 'either', () => [
    { name: 'dump/', type: 'D', content: Buffer.from('Yx\0\0') },
    file('after'),
  ]),
  tar('type-solaris', 'either', () => [
    { name: 'acl', type: 'X', content: Buffer.from('abc') },
    file('after'),
  ]),
  tar('many-files', 'build', () => Array.from({ length: 10_000 }, (_, i) => header({ name: `m/${i}` }))),
];
