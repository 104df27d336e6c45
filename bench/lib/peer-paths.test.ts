import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerPaths } from './peer-paths.ts';

test('a program that is there is measured; one that is not named, or not there, is left out with the reason', () => {
  const here = import.meta.filename;
  assert.deepEqual(peerPaths({ ENVBUILDER_BENCH_KANIKO: here }), {
    paths: { kaniko: here },
    reasons: ['envbuilder (Go): ENVBUILDER_BENCH_ENVBUILDER does not name its program'],
  });
  assert.deepEqual(
    peerPaths({ ENVBUILDER_BENCH_KANIKO: '/nowhere/kaniko', ENVBUILDER_BENCH_ENVBUILDER: here }),
    {
      paths: { envbuilder: here },
      reasons: ['kaniko: there is no /nowhere/kaniko, which ENVBUILDER_BENCH_KANIKO names'],
    },
  );
});
