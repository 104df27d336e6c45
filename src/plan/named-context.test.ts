import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Digest, digestOf } from '../core/digest.ts';
import { contextName } from './named-context.ts';
import { keyOf, planOf, type TestBuild } from './testing.ts';

const LIB: TestBuild = {
  dockerfile:
    'FROM debian\nCOPY --from=lib a /a\nRUN --mount=from=lib,target=/m --mount=type=cache,from=lib,target=/c x',
  contexts: { lib: { type: 'dir', path: '/lib' } },
  contextFiles: { lib: { a: 'a', b: 'b' } },
  files: { a: 'main' },
};

describe('contextName', () => {
  for (const [text, name] of [
    ['alpine', 'alpine'],
    ['alpine:latest', 'alpine'],
    ['docker.io/library/alpine', 'alpine'],
    ['index.docker.io/me/tool:1', 'me/tool:1'],
    ['registry.example/library/alpine', 'registry.example/library/alpine'],
    ['Alpine', undefined],
    ['', undefined],
  ] as const) {
    it(`${text}: ${name}`, () => assert.equal(contextName(text), name));
  }
});

describe('keys of named contexts', () => {
  it('hold the files that are used, not where the directory lies', async () => {
    const key = await keyOf(LIB);
    assert.equal(await keyOf({ ...LIB, contexts: { lib: { type: 'dir', path: '/elsewhere' } } }), key);
    assert.equal(await keyOf({ ...LIB, files: { a: 'other main' } }), key);
    assert.notEqual(await keyOf({ ...LIB, contextFiles: { lib: { a: 'a', b: 'B' } } }), key);
    const copyOnly = { ...LIB, dockerfile: 'FROM debian\nCOPY --from=lib a /a' };
    assert.equal(
      await keyOf({ ...copyOnly, contextFiles: { lib: { a: 'a', b: 'B' } } }),
      await keyOf(copyOnly),
    );
  });

  it('change a cache mount that starts with other files', async () => {
    const dockerfile = 'FROM debian\nRUN --mount=type=cache,from=lib,target=/c x';
    assert.notEqual(
      await keyOf({ ...LIB, dockerfile }),
      await keyOf({ ...LIB, dockerfile, contextFiles: { lib: { a: 'A' } } }),
    );
  });

  it('are those of the image that a context names', async () => {
    const contexts = { alpine: { type: 'image', reference: 'mirror/alpine' } } as const;
    const dockerfile = (base: string) => `FROM ${base}\nRUN x`;
    assert.equal(
      await keyOf({ dockerfile: dockerfile('docker.io/library/alpine:latest'), contexts }),
      await keyOf({ dockerfile: dockerfile('mirror/alpine') }),
    );
  });

  it('are the given digest for deferred files, which nobody asks for while planning', async () => {
    const deferred = (digest: Digest): TestBuild => ({
      dockerfile: 'FROM debian\nRUN --mount=from=tool,target=/tool x',
      contexts: { tool: { type: 'deferred', digest, write: () => assert.fail('asked for its files') } },
    });
    const key = await keyOf(deferred(digestOf('1')));
    assert.equal(await keyOf(deferred(digestOf('1'))), key);
    assert.notEqual(await keyOf(deferred(digestOf('2'))), key);
    for (const other of ['COPY --from=tool a b', 'RUN --mount=from=tool,source=a,target=/a x', 'FROM tool']) {
      const build = { ...deferred(digestOf('1')), dockerfile: `FROM debian\n${other}` };
      await assert.rejects(keyOf(build), { code: 'DOCKERFILE', message: /the files of tool/ });
    }
  });

  it('replace a stage of that name, whose own base is never asked for', async () => {
    const build: TestBuild = { ...LIB, dockerfile: 'FROM nowhere AS lib\nRUN x\nFROM lib\nRUN y' };
    const planned = await planOf(build);
    assert.deepEqual(
      planned.stages.get(0)!.steps.map(({ text }) => text),
      ['FROM nowhere AS lib'],
    );
    assert.equal(planned.stages.get(0)!.base.type, 'scratch');
  });
});

describe('variables of the image', () => {
  it('win as ENV in their place would, reach only the target and change no key', async () => {
    const dockerfile = 'FROM debian AS one\nENV A=1 B=2\nRUN x\nFROM one\nRUN y';
    const planned = await planOf({ dockerfile, imageEnv: { A: '="3"', C: '' } });
    assert.deepEqual(planned.stages.get(1)!.config.Env, ['PATH=/bin', 'A=="3"', 'B=2', 'C=']);
    assert.deepEqual(planned.stages.get(0)!.config.Env, ['PATH=/bin', 'A=1', 'B=2']);
    assert.equal(planned.stages.get(1)!.lastKey, await keyOf({ dockerfile }));
  });
});

describe('labels', () => {
  it('of the caller win, reach only the target and change no key', async () => {
    const dockerfile = 'FROM debian AS one\nRUN x\nFROM one\nLABEL a=1 b=2\nRUN y';
    const planned = await planOf({ dockerfile, labels: { a: '3', c: '4' } });
    assert.deepEqual(planned.stages.get(1)!.config.Labels, { a: '3', b: '2', c: '4' });
    assert.equal(planned.stages.get(0)!.config.Labels, undefined);
    assert.equal(planned.stages.get(1)!.lastKey, await keyOf({ dockerfile }));
  });
});
