import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import type { Plan } from '../../plan/types.ts';
import type { BuildRequest } from '../types.ts';
import { provenanceOf } from './provenance.ts';

const COMMIT = 'c'.repeat(40);
const OTHER = 'd'.repeat(40);

const image = (reference: string) => ({
  type: 'image',
  image: { reference, manifest: { descriptor: { digest: digestOf(reference) } } },
});

/** What came from elsewhere, as URIs with their digests. */
function materials(steps: readonly object[], commits: ReadonlyMap<string, string> = new Map()) {
  const platform = { os: 'linux', architecture: 'amd64' };
  const stage = { base: image('debian:12'), platform, steps };
  const plan = { imagePlatform: platform, target: 0, stages: new Map([[0, stage]]) } as unknown as Plan;
  const request = {
    provenance: { mode: 'min', builderId: 'urn:a', version: '1' },
    buildArgs: new Map(),
    labels: new Map(),
    contexts: new Map(),
    secrets: [],
    ssh: [],
  } as unknown as BuildRequest;
  const subject = { mediaType: 'x', digest: digestOf('x'), size: 1 };
  const { content } = provenanceOf(request, commits, { name: 'a/b:1', plan, subject });
  const { predicate } = JSON.parse(content.toString());
  const list = predicate.buildDefinition.resolvedDependencies as { uri: string; digest: object }[];
  return list.map(({ uri, digest }) => [uri, ...Object.entries(digest).flat()]);
}

const BASE = ['pkg:docker/debian@12?platform=linux%2Famd64', 'sha256', digestOf('debian:12').slice(7)];

test('commits of contexts and of ADD are named, without credentials', () => {
  const add = {
    operation: { kind: 'copy', inputs: [{ kind: 'git', url: 'https://h/lib.git', commit: OTHER }] },
  };
  assert.deepEqual(materials([add, add], new Map([['https://me:pw@h/app.git#main', COMMIT]])), [
    ['git+https://***@h/app.git#main', 'gitCommit', COMMIT],
    ['git+https://h/lib.git', 'gitCommit', OTHER],
    BASE,
  ]);
});

test('images of COPY --from and of mounts are named, each once', () => {
  const copy = {
    operation: { kind: 'copy', inputs: [{ kind: 'from', source: image('r.example/tools:1') }] },
  };
  const run = {
    operation: { kind: 'run', mounts: [{ source: image('alpine') }, { source: { type: 'context' } }, {}] },
  };
  assert.deepEqual(
    materials([copy, run, copy]).map(([uri]) => uri),
    [
      'pkg:docker/alpine?platform=linux%2Famd64',
      BASE[0],
      'pkg:docker/r.example/tools@1?platform=linux%2Famd64',
    ],
  );
});
