import { join } from 'node:path';
import { createRandom, type Random } from '../../fuzz/random.ts';
import { encode } from '../encode.ts';
import type { Form } from '../forms.ts';
import { configOf, json, layerOf, manifestOf, TYPES } from '../images.ts';
import { put } from '../layouts.ts';
import { mutateBytes, mutateJson, mutateTar, mutateText } from '../mutate.ts';
import { editRecords } from '../records.ts';
import { dir, file, GNU, gnuLong, hard, link, tarOf } from '../tar-bytes.ts';
import type { Kind } from '../types.ts';
import { recordWays, tableWays } from '../ways/caches.ts';
import { documentWays } from '../ways/images.ts';
import { streamWays, tarWays } from '../ways/tars.ts';
import { treeWays } from '../ways/trees.ts';

/** A tar with one of everything. */
const honest = tarOf([
  dir('d', { mode: 0o700, uid: 5 }),
  file('d/one', 'first content\n', { pax: { 'SCHILY.xattr.user.x': 'v', mtime: '1700000000.5' } }),
  hard('d/again', 'd/one'),
  link('l', 'd/one'),
  file('long', 'x', { pax: { path: `${'p/'.repeat(80)}f` } }),
  gnuLong('L', `${'g/'.repeat(80)}f\0`),
  file('gnu', 'y', { magic: GNU }),
  { name: 'fifo', type: '6' },
  { name: 'null', type: '3', major: 1, minor: 3 },
  file('d/.wh.gone', ''),
  file('sparse', Buffer.concat([Buffer.from('1\n4\n3\n'.padEnd(512, '\0')), Buffer.from('abc')]), {
    pax: {
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 's',
      'GNU.sparse.realsize': '10',
    },
  }),
  file('last', Buffer.alloc(5000, 'z')),
]);
const COMPOSE = {
  services: {
    app: {
      build: { context: '..', dockerfile: 'Dockerfile', args: { A: 'x' } },
      environment: { A: '${B:-c}' },
      env_file: ['e.env'],
    },
  },
};
const DEV = {
  build: { dockerfile: '../Dockerfile', context: '..', args: { A: 'b' } },
  features: { './f': { x: 'y' } },
  containerEnv: { A: '${localEnv:HOME}' },
  remoteUser: 'root',
  postCreateCommand: ['true'],
};
const DOCKERFILE =
  'FROM scratch AS s\nARG A=b\nENV C=${A:-d} E="f g"\nCOPY --chown=1:2 --chmod=644 a d* /x/\nADD ["a", "/y"]\nWORKDIR /w\nCOPY <<E /h\ntext\nE\nFROM s\nCOPY --from=s /x /z\nLABEL a=b\nHEALTHCHECK CMD true\nCOPY a /probe-a\n';

/** An honest input with random changes, of the form and by the way that the seed says. Gives a form of one kind and one way. */
export function mutation(seed: number): Form<unknown> {
  const random = createRandom(seed);
  const makers = [ofTar, ofStream, ofTable, ofRecord, ofDocument, ofTree] as const;
  return random.pick(makers)(random, `mutation-${seed}`) as Form<unknown>;
}

function one<Input>(
  name: string,
  kind: string,
  make: Kind<Input>['make'],
  ways: Form<Input>['ways'],
  random: Random,
): Form<Input> {
  return { name, kinds: [{ name: kind, must: 'either', make }], ways: [random.pick(ways)] };
}

function ofTar(random: Random, name: string) {
  const bytes = mutateTar(honest, random);
  return one('tar', name, () => ({ bytes }), tarWays, random);
}

function ofStream(random: Random, name: string) {
  const bytes = mutateBytes(encode(honest, random.pick(['gzip', 'zstd', 'bzip2', 'xz'] as const)), random);
  return one('stream', name, () => ({ bytes, tar: honest }), streamWays, random);
}

function ofTable(random: Random, name: string) {
  const seed = random.int(2 ** 31);
  const options = random.chance(0.8)
    ? { edit: (table: unknown) => mutateJson(table, createRandom(seed)) }
    : { editBytes: (bytes: Buffer) => mutateBytes(bytes, createRandom(seed)) };
  const tar = random.chance(0.3) ? mutateTar(honest, random) : honest;
  return one('table', name, () => ({ tar, options }), tableWays, random);
}

function ofRecord(random: Random, name: string) {
  const seed = random.int(2 ** 31);
  const edit = (manifest: unknown): Buffer => {
    const own = createRandom(seed);
    const text = json(manifest);
    return own.chance(0.7) ? json(mutateJson(JSON.parse(text.toString()), own)) : mutateBytes(text, own);
  };
  return one('record', name, () => (baseline) => editRecords(baseline, edit), recordWays, random);
}

function ofDocument(random: Random, name: string) {
  const layers = [layerOf(honest, 'gzip')];
  const made = configOf(layers);
  const config = random.chance(0.5) ? json(mutateJson(made, random)) : json(made);
  const document = manifestOf(config, layers);
  const manifest = random.chance(0.5)
    ? json(mutateJson(document, random))
    : mutateBytes(json(document), random);
  const blobs = [config, layers[0]!.bytes];
  const image = { manifest, type: TYPES.manifest, blobs, config, layers };
  return one('document', name, () => ({ image }), documentWays, random);
}

function ofTree(random: Random, name: string) {
  const files: Record<string, string> = {
    a: 'hi\n',
    Dockerfile: DOCKERFILE,
    '.dockerignore': '*.x\n!a\nd/**/e\n',
    '.devcontainer/e.env': 'A=b\nC="d e"\n',
    '.devcontainer/compose.yaml': JSON.stringify(COMPOSE),
    '.devcontainer/devcontainer.json': JSON.stringify(DEV),
    '.devcontainer/f/devcontainer-feature.json': JSON.stringify({
      id: 'f',
      version: '1.0.0',
      options: { x: { type: 'string', default: 'y' } },
    }),
    '.devcontainer/f/install.sh': '#!/bin/sh\ntrue\n',
  };
  const composed = random.chance(0.4);
  if (composed)
    files['.devcontainer/devcontainer.json'] = JSON.stringify({
      dockerComposeFile: 'compose.yaml',
      service: 'app',
      workspaceFolder: '/w',
    });
  const victim = random.pick(Object.keys(files));
  const text = files[victim]!;
  files[victim] =
    text.startsWith('{') && random.chance(0.7)
      ? JSON.stringify(mutateJson(JSON.parse(text), random))
      : mutateText(text, random);
  const args = victim.startsWith('.devcontainer') ? ['--devcontainer'] : [];
  const write = (root: string): void => {
    for (const [path, content] of Object.entries(files)) put(join(root, path), content);
  };
  return one('definition', name, () => ({ args, git: true, write }), treeWays, random);
}
