import { digestOf } from '../core/digest.ts';
import type { TestBuild, TestFile } from './testing.ts';

/** The first block of a tar, by which ADD knows one. */
const TAR = `file\0${'\0'.repeat(252)}ustar\x0000${'\0'.repeat(247)}`;

const ARM = { os: 'linux', architecture: 'arm64' } as const;
const RUN_USER = 'FROM debian\nUSER app:staff\n';

/** Files with everything that a tree can hold. */
const MIXED: Readonly<Record<string, TestFile | string>> = {
  'a.txt': 'one',
  'bin/run': { content: '#!/bin/sh\n', mode: 0o755 },
  'bin/setuid': { content: 's', mode: 0o4755 },
  'dir/empty': { content: '', mode: 0o2755, type: 'dir' },
  'dir/open': { content: '', mode: 0o1777, type: 'dir' },
  'dir/link': { content: '', symlink: '../a.txt' },
  'dir/fifo': { content: '', type: 'fifo', mode: 0o600 },
  'dir/null': { content: '', type: 'char', mode: 0o666, device: [1, 3] },
  'dir/disk': { content: '', type: 'block', mode: 0o660, device: [8, 1] },
  'hard/one': { content: 'same', hardlink: 'x' },
  'hard/two': { content: 'same', hardlink: 'x' },
  ping: { content: 'p', xattrs: { 'security.capability': 'cap', 'user.note': 'n' } },
  'sp ace ümlaut': 'odd name',
};

/**
 * Builds whose keys are written down in testdata/golden-keys.json: every instruction that makes a layer, every flag and
 * mount, and every way in which a stage can begin. A build that is here stays as it is; new ones are added.
 */
export const GOLDEN_BUILDS: Readonly<Record<string, TestBuild>> = {
  'a command in shell form': { dockerfile: 'FROM debian\nRUN make install' },
  'a command in exec form': { dockerfile: 'FROM debian\nRUN ["make", "install"]' },
  'another shell': { dockerfile: 'FROM debian\nSHELL ["/bin/bash", "-euc"]\nRUN make install' },
  'a continued line': { dockerfile: 'FROM debian\nRUN make \\\n  all \\\n  # not this\n  install' },
  'a heredoc for the shell': { dockerfile: 'FROM debian\nRUN <<EOF\nset -e\nmake\nEOF' },
  'a heredoc with an interpreter': {
    dockerfile: 'FROM debian\nRUN <<EOF\n#!/usr/bin/env python3\nprint(1)\nEOF',
  },
  'several heredocs in one command': {
    dockerfile: 'FROM debian\nRUN cat <<A <<-B > /out\nfirst\nA\n\tsecond\n\tB',
  },
  'variables of a command': {
    dockerfile: 'FROM debian\nARG VERSION=1\nENV MODE=fast PATH=/opt/bin:$PATH\nARG GIVEN\nRUN make',
    buildArgs: { GIVEN: 'yes', http_proxy: 'http://proxy:1' },
  },
  'an argument that a variable hides': { dockerfile: 'FROM debian\nARG A=1\nENV A=2\nRUN make' },
  'user and directory of a command': { dockerfile: `${RUN_USER}WORKDIR /src\nWORKDIR sub\nRUN make` },
  'a directory by variable': { dockerfile: 'FROM debian\nENV D=/deep/er\nWORKDIR $D/x\nRUN make' },
  'no network': { dockerfile: 'FROM debian\nRUN --network=none make' },
  'the network of the host': { dockerfile: 'FROM debian\nRUN --network=host make' },
  'more rights': { dockerfile: 'FROM debian\nRUN --security=insecure make' },
  'a mount of the context': {
    dockerfile: 'FROM debian\nRUN --mount=type=bind,source=bin,target=/src,rw make',
    files: MIXED,
  },
  'a mount of the whole context': { dockerfile: 'FROM debian\nRUN --mount=target=/src make', files: MIXED },
  'a mount of a file': { dockerfile: 'FROM debian\nRUN --mount=source=a.txt,target=/a make', files: MIXED },
  'a mount of a stage': {
    dockerfile:
      'FROM debian AS tools\nRUN build\nFROM debian\nRUN --mount=from=tools,source=/out,target=/m make',
  },
  'a mount of an image': { dockerfile: 'FROM debian\nRUN --mount=from=tools:1,target=/m make' },
  'a mount of nothing': { dockerfile: 'FROM debian\nRUN --mount=from=scratch,target=/m,rw make' },
  'a mount of files that are fetched later': {
    dockerfile: 'FROM debian\nRUN --mount=from=feature,target=/f make',
    contexts: { feature: { type: 'deferred', digest: digestOf('feature'), write: async () => {} } },
  },
  'a cache': { dockerfile: 'FROM debian\nRUN --mount=type=cache,target=/var/cache/apt make' },
  'a cache with all options': {
    dockerfile:
      'FROM debian\nRUN --mount=type=cache,id=c,target=/c,ro,sharing=locked,mode=0700,uid=7,gid=8 make',
  },
  'a cache with files of a stage': {
    dockerfile:
      'FROM debian AS seed\nRUN fill\nFROM debian\nRUN --mount=type=cache,target=/c,from=seed,source=/s make',
  },
  'a cache with files of an image': {
    dockerfile: 'FROM debian\nRUN --mount=type=cache,target=/c,from=tools:1,source=/s make',
  },
  'a cache with files of a named context': {
    dockerfile: 'FROM debian\nRUN --mount=type=cache,target=/c,from=lib make',
    contexts: { lib: { type: 'dir', path: '/lib' } },
    contextFiles: { lib: MIXED },
  },
  'memory as a directory': { dockerfile: 'FROM debian\nRUN --mount=type=tmpfs,target=/t,size=64m make' },
  'a secret': { dockerfile: 'FROM debian\nRUN --mount=type=secret,id=token make' },
  'a secret with all options': {
    dockerfile:
      'FROM debian\nRUN --mount=type=secret,id=token,target=/t,env=T,required,mode=0440,uid=1,gid=2 make',
  },
  'an agent': { dockerfile: 'FROM debian\nRUN --mount=type=ssh make' },
  'an agent with all options': {
    dockerfile: 'FROM debian\nRUN --mount=type=ssh,id=key,target=/s,required,mode=0660,uid=1,gid=2 make',
  },
  'several mounts, with variables': {
    dockerfile:
      'FROM debian\nARG D=/c\nWORKDIR /w\nRUN --mount=type=cache,target=$D --mount=type=tmpfs,target=t make',
  },
  'a copied directory': { dockerfile: 'FROM debian\nCOPY . /app', files: MIXED },
  'a copied file': { dockerfile: 'FROM debian\nWORKDIR /app\nCOPY a.txt b.txt', files: MIXED },
  'several sources': { dockerfile: 'FROM debian\nCOPY a.txt bin dir /app/', files: MIXED },
  'several sources, one after the other': { dockerfile: 'FROM debian\nCOPY a.txt dir /app', files: MIXED },
  'a wildcard': { dockerfile: 'FROM debian\nCOPY b*/* /app/', files: MIXED },
  'owner and mode of a copy': {
    dockerfile: 'FROM debian\nCOPY --chown=app:staff --chmod=u=rwX,go=rX bin /app',
    files: MIXED,
  },
  'a linked copy': { dockerfile: 'FROM debian\nCOPY --link a.txt /app/', files: MIXED },
  'a copy with its parents': {
    dockerfile: 'FROM debian\nCOPY --parents dir/./link bin/run /app/',
    files: MIXED,
  },
  'a copy without some files': {
    dockerfile: 'FROM debian\nCOPY --exclude=setuid --exclude=*.md bin /app',
    files: MIXED,
  },
  'a copy of heredocs': {
    dockerfile: 'FROM debian\nARG W=world\nCOPY <<a <<"b" /app/\nhello $W\na\nhello $W\nb',
  },
  'a copy of a stage': {
    dockerfile: 'FROM debian AS one\nRUN make\nFROM scratch\nCOPY --from=one /out /etc/* /x/',
  },
  'a copy of a stage without some files': {
    dockerfile:
      'FROM debian AS one\nRUN make\nFROM scratch\nCOPY --from=0 --parents --exclude=*.o --chown=1:2 /out /x/',
  },
  'a copy of an image': { dockerfile: 'FROM scratch\nCOPY --from=tools:1 /bin/tool /tool' },
  'a copy of a named context': {
    dockerfile: 'FROM debian\nCOPY --from=lib bin /lib',
    contexts: { lib: { type: 'dir', path: '/lib' } },
    contextFiles: { lib: MIXED },
  },
  'an added file': { dockerfile: 'FROM debian\nADD a.txt bin /app/', files: MIXED },
  'an added archive': {
    dockerfile: 'FROM debian\nADD --chown=1:2 t.tar a.txt /app/',
    files: { 't.tar': TAR, 'a.txt': 'one' },
  },
  'an archive that stays whole': {
    dockerfile: 'FROM debian\nADD --unpack=false t.tar /app/',
    files: { 't.tar': TAR },
  },
  'an added download': {
    dockerfile: 'FROM debian\nADD https://example.com/files/tool /bin/',
    urls: { 'https://example.com/files/tool': { content: 'tool', lastModified: 1_700_000_000 } },
  },
  'an added download with all options': {
    dockerfile: `FROM debian\nADD --checksum=${digestOf('tool')} --chmod=755 --unpack https://example.com/t.tar /o/`,
    urls: { 'https://example.com/t.tar': { content: 'tool', name: 'other.tar' } },
  },
  'an added repository': {
    dockerfile: 'FROM debian\nADD https://example.com/r.git#main:docs /docs',
    commits: { 'https://example.com/r.git#main:docs': 'a'.repeat(40) },
  },
  'an added repository with all options': {
    dockerfile:
      'FROM debian\nADD --keep-git-dir --exclude=*.md https://example.com/r.git?ref=v1&subdir=lib /lib',
    commits: { 'https://example.com/r.git?ref=v1&subdir=lib': 'b'.repeat(40) },
  },
  'a base with everything that is inherited': {
    dockerfile: 'FROM base\nRUN make\nCOPY a.txt /',
    images: {
      base: {
        layers: ['one', 'two'],
        config: {
          Env: ['PATH=/opt', 'LANG=C'],
          User: 'app',
          WorkingDir: '/home/app',
          Shell: ['/bin/ash', '-c'],
          OnBuild: ['RUN trigger', 'COPY a.txt /triggered'],
          Labels: { not: 'this' },
          Cmd: ['nor this'],
        },
      },
    },
    files: MIXED,
  },
  'nothing as base': { dockerfile: 'FROM scratch\nCOPY a.txt /', files: MIXED },
  'a stage as base': {
    dockerfile: 'FROM debian AS one\nARG A=1\nENV B=2\nRUN make\nFROM one\nUSER 7\nRUN more',
  },
  'a named context as base': {
    dockerfile: 'FROM base\nRUN make',
    contexts: { base: { type: 'dir', path: '/base' } },
    contextFiles: { base: MIXED },
  },
  'a named context in place of a stage': {
    dockerfile: 'FROM debian AS one\nRUN never\nFROM debian\nCOPY --from=one /x /x',
    contexts: { one: { type: 'image', reference: 'mirror/one' } },
  },
  'a base by argument': {
    dockerfile: 'ARG BASE=debian\nFROM $BASE:12\nRUN make',
    buildArgs: { BASE: 'ubuntu' },
  },
  'another platform': { dockerfile: 'FROM debian\nRUN make', platform: ARM },
  'a platform with a variant': {
    dockerfile: 'FROM debian\nRUN make',
    platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
  },
  'stages of two platforms': {
    dockerfile:
      'FROM --platform=$BUILDPLATFORM debian AS cross\nARG TARGETPLATFORM\nRUN make\nFROM debian\nCOPY --from=cross /o /o',
    platform: ARM,
  },
  'a salt': { dockerfile: 'FROM debian\nRUN make', salt: 'grains' },
  'one time for all files': { dockerfile: 'FROM debian\nRUN make', mtime: 0 },
  'another time for all files, of stages that read each other': {
    dockerfile:
      'FROM debian AS tools\nRUN make\nFROM tools\nWORKDIR /app\nCOPY --from=tools /out /out\nRUN --mount=from=tools,target=/t make all',
    mtime: 1_704_067_200,
  },
  'a target in the middle': {
    dockerfile: 'FROM debian AS one\nRUN a\nFROM one AS two\nRUN b\nFROM two\nRUN c',
    target: 'two',
  },
  'only metadata between two commands': {
    dockerfile:
      'FROM debian\nRUN a\nLABEL a=b\nEXPOSE 80\nVOLUME /v\nCMD x\nENTRYPOINT ["y"]\nSTOPSIGNAL 9\nHEALTHCHECK NONE\nRUN b',
  },
  'triggers for others': { dockerfile: 'FROM debian\nONBUILD RUN later\nRUN now' },
  'escapes by backtick': {
    dockerfile: '# escape=`\nFROM debian\nRUN a `\n  b\nCOPY a.txt c:\\x\\',
    files: MIXED,
  },
};
