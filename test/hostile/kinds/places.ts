import { join } from 'node:path';
import { put } from '../layouts.ts';
import { NOT_DOCKER } from '../sparse-size.ts';
import type { Kind, Place } from '../types.ts';
import { type NotFile, notFiles } from './not-files.ts';

/** A workspace: what is written into it, and what is asked of the command line. */
export interface TreeInput {
  readonly write: (dir: string, place: Place) => void;
  readonly args: readonly string[];
  /** git can keep it, so that it can come from a clone. */
  readonly git: boolean;
}

/** A file that a build reads, and a workspace in which it does. */
interface ReadFile {
  readonly name: string;
  readonly path: string;
  readonly around: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

const DOCKERFILE = 'FROM scratch\nCOPY a /probe-a\n';
const plain = { Dockerfile: DOCKERFILE, a: 'hi\n' };
/** Reads and writes what is mounted, a little of each: a program that waits for a named pipe waits by its own fault. */
const USE_MOUNT =
  'for f in /m /m/*; do [ -p "$f" ] || busybox head -c 99 "$f" 2>/dev/null; [ -p "$f" ] || echo x >"$f" 2>/dev/null; done; echo x >/m/new 2>/dev/null; true';
const compose = (service: object): string =>
  JSON.stringify({ services: { app: { build: { context: '..', dockerfile: 'Dockerfile' }, ...service } } });
const dev = (config: object): Record<string, string> => ({
  ...plain,
  '.devcontainer/devcontainer.json': JSON.stringify(config),
});
const devcontainer = { build: { dockerfile: '../Dockerfile', context: '..' } };
const composed = { dockerComposeFile: 'compose.yaml', service: 'app', workspaceFolder: '/w' };
const local = { ...devcontainer, features: { './f': {} } };
const feature = {
  '.devcontainer/f/devcontainer-feature.json': JSON.stringify({ id: 'f', version: '1.0.0', name: 'f' }),
  '.devcontainer/f/install.sh': '#!/bin/sh\ntrue\n',
};

/** Every file whose name an untrusted workspace decides about. */
const readFiles: readonly ReadFile[] = [
  { name: 'dockerfile', path: 'Dockerfile', around: plain },
  { name: 'dockerignore', path: '.dockerignore', around: plain },
  { name: 'dockerfile-dockerignore', path: 'Dockerfile.dockerignore', around: plain },
  { name: 'copied', path: 'a', around: plain },
  {
    name: 'copied-dir',
    path: 'd/x',
    around: { ...plain, Dockerfile: `${DOCKERFILE}COPY d /d\n`, 'd/y': 'y' },
  },
  {
    name: 'copied-parent',
    path: 'd',
    around: { a: 'hi\n', Dockerfile: 'FROM scratch\nCOPY a /probe-a\nCOPY d/file /x\n' },
  },
  { name: 'added', path: 'x', around: { ...plain, Dockerfile: `${DOCKERFILE}ADD x /x\n` } },
  {
    name: 'bound',
    path: 'l',
    around: {
      a: 'hi\n',
      Dockerfile: `FROM @BUSYBOX@\nCOPY a /probe-a\nRUN --mount=type=bind,source=l,target=/m,rw ${USE_MOUNT}\n`,
    },
  },
  {
    name: 'bound-below',
    path: 'l',
    around: {
      a: 'hi\n',
      Dockerfile: `FROM @BUSYBOX@\nCOPY a /probe-a\nRUN --mount=type=bind,source=l/file,target=/m,rw ${USE_MOUNT}\n`,
    },
  },
  {
    name: 'devcontainer-json',
    path: '.devcontainer/devcontainer.json',
    around: plain,
    args: ['--devcontainer'],
  },
  { name: 'devcontainer-dir', path: '.devcontainer', around: plain, args: ['--devcontainer'] },
  {
    name: 'devcontainer-dockerfile',
    path: '.devcontainer/D',
    around: dev({ build: { dockerfile: 'D', context: '..' } }),
    args: ['--devcontainer'],
  },
  {
    name: 'devcontainer-context',
    path: 'c',
    around: dev({ build: { dockerfile: '../Dockerfile', context: '../c' } }),
    args: ['--devcontainer'],
  },
  { name: 'compose', path: '.devcontainer/compose.yaml', around: dev(composed), args: ['--devcontainer'] },
  {
    name: 'compose-env-file',
    path: '.devcontainer/e.env',
    around: { ...dev(composed), '.devcontainer/compose.yaml': compose({ env_file: 'e.env' }) },
    args: ['--devcontainer'],
  },
  {
    name: 'compose-dot-env',
    path: '.devcontainer/.env',
    around: { ...dev(composed), '.devcontainer/compose.yaml': compose({}) },
    args: ['--devcontainer'],
  },
  {
    name: 'compose-extends',
    path: '.devcontainer/x.yaml',
    around: {
      ...dev(composed),
      '.devcontainer/compose.yaml': compose({ extends: { file: 'x.yaml', service: 'app' } }),
    },
    args: ['--devcontainer'],
  },
  {
    name: 'lockfile',
    path: '.devcontainer/devcontainer-lock.json',
    around: { ...dev(local), ...feature },
    args: ['--devcontainer'],
  },
  {
    name: 'lockfile-written',
    path: '.devcontainer/devcontainer-lock.json',
    around: { ...dev(local), ...feature },
    args: ['--devcontainer', '--devcontainer-lockfile=update'],
  },
  {
    name: 'feature-json',
    path: '.devcontainer/f/devcontainer-feature.json',
    around: { ...dev(local), ...feature },
    args: ['--devcontainer'],
  },
  {
    name: 'feature-script',
    path: '.devcontainer/f/install.sh',
    around: { ...dev(local), ...feature },
    args: ['--devcontainer'],
  },
  {
    name: 'feature-env',
    path: '.devcontainer/f/devcontainer-features.env',
    around: { ...dev(local), ...feature },
    args: ['--devcontainer'],
  },
  {
    name: 'feature-own-script',
    path: '.devcontainer/f/devcontainer-features-install.sh',
    around: { ...dev(local), ...feature },
    args: ['--devcontainer'],
  },
  {
    name: 'feature-data',
    path: '.devcontainer/f/data',
    around: { ...dev(local), ...feature },
    args: ['--devcontainer'],
  },
  { name: 'feature-dir', path: '.devcontainer/f', around: dev(local), args: ['--devcontainer'] },
  { name: 'git-dir', path: '.git', around: plain },
  { name: 'docker-config', path: '.docker/config.json', around: plain },
  { name: 'kept-env', path: '.env', around: plain },
];

/** Every such file as everything that is none. */
export const places: readonly Kind<TreeInput>[] = readFiles.flatMap((each) =>
  notFiles.map((what) => placed(each, what)),
);

function placed({ name, path, around, args = [] }: ReadFile, what: NotFile): Kind<TreeInput> {
  return {
    name: `${name}-is-${what.name}`,
    must: 'either',
    ...(what.name.startsWith('sparse-') ? { notDocker: NOT_DOCKER } : {}),
    make: (place) => ({
      args,
      git: what.git === true,
      write: (dir) => {
        for (const [file, text] of Object.entries(around)) put(join(dir, file), text);
        what.put(join(dir, path), place);
      },
    }),
  };
}
