import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Refusal } from '../../cache/lookup.ts';
import { fakeLayer, fakeRecord } from '../../cache/testing.ts';
import type { CacheRecord } from '../../cache/types.ts';
import type { Digest } from '../../core/digest.ts';
import { createMemoryStore } from '../../oci/memory-store.ts';
import { planOf, type TestBuild } from '../../plan/testing.ts';
import type { Plan, Step } from '../../plan/types.ts';
import { MISS_CAUSES, type MissCode } from './causes.ts';
import { causesText, createExplainer } from './explain.ts';
import {
  makeTrace,
  packTrace,
  readTrace,
  readTraceFrom,
  storeTrace,
  type Trace,
  traceTag,
  unpackTrace,
} from './trace.ts';

const AT = '2026-11-28T14:02:09Z';
const signal = new AbortController().signal;

/** What a build leaves, through a store. */
async function traceOf(build: TestBuild, at = AT): Promise<Trace> {
  const plan = await planOf(build);
  const trace = await makeTrace(plan, { at, earlier: undefined, made: () => true });
  return unpackTrace(JSON.parse(packTrace(trace)!))!;
}

const stepsOf = (plan: Plan): readonly Step[] => [...plan.stages.values()].flatMap(({ steps }) => [...steps]);

interface Case {
  readonly before: TestBuild;
  /** What is other in the build that misses. */
  readonly now: Partial<TestBuild>;
  /** Of all steps; the first by default. */
  readonly step?: number;
  readonly code: MissCode | readonly MissCode[];
  readonly says: RegExp;
}

const FROM = 'FROM base\n';
const run = (text: string): string => `${FROM}RUN ${text}\n`;
const copy = (flags: string, destination = '/app/'): string => `${FROM}COPY ${flags} src ${destination}\n`;
const FILES = { 'src/a.ts': 'a', 'src/b.ts': 'b', 'src/c.ts': 'c', 'src/d.ts': 'd' };
const ARG = `${FROM}ARG VERSION\nARG OTHER=1\nRUN make\n`;

const CASES: Readonly<Record<string, Case>> = {
  'a new step': {
    before: { dockerfile: run('a') },
    now: { dockerfile: `${run('a')}WORKDIR /x\n` },
    step: 1,
    code: 'new-step',
    says: /^it is a new step since the build of 2026-11-28 14:02$/,
  },
  'a step behind one that changed': {
    before: { dockerfile: `${run('a')}RUN b\n` },
    now: { dockerfile: `${run('c')}RUN b\n` },
    step: 1,
    code: 'step-before',
    says: /a step before it is made anew: RUN c/,
  },
  'a stage whose base is a stage that changed': {
    before: { dockerfile: `FROM base AS one\nRUN a\nFROM one\nRUN b\n` },
    now: { dockerfile: `FROM base AS one\nRUN c\nFROM one\nRUN b\n` },
    step: 1,
    code: 'base-stage',
    says: /the stage one, which it goes on from, is made anew/,
  },
  'a stage whose base is a stage without steps, of a base that changed': {
    before: {
      dockerfile: `FROM base AS one\nFROM one AS two\nFROM two\nRUN b\n`,
      images: { base: { layers: ['1'] } },
    },
    now: { images: { base: { layers: ['2'] } } },
    code: 'base-stage',
    says: /the stage two, which it goes on from, is made anew/,
  },
  'a stage whose base is a stage that did not change': {
    before: { dockerfile: `FROM base AS one\nRUN a\nFROM one\nRUN b\n` },
    now: { dockerfile: `FROM base AS one\nRUN a\nFROM one\nRUN c\n` },
    step: 1,
    code: 'command-changed',
    says: /^(?!.*made anew)/,
  },
  'a base image with other layers': {
    before: { dockerfile: run('a'), images: { base: { layers: ['1'] } } },
    now: { images: { base: { layers: ['2'] } } },
    code: 'base-image',
    says: /base image base was [0-9a-f]{12}… and is [0-9a-f]{12}… since/,
  },
  'another name in FROM': {
    before: { dockerfile: run('a') },
    now: { dockerfile: 'FROM other\nRUN a\n' },
    code: 'base-name',
    says: /FROM names other and named base/,
  },
  'a base image with another variable': {
    before: {
      dockerfile: `${FROM}COPY src /app/\n`,
      files: FILES,
      images: { base: { layers: ['1'], config: { Env: ['A=1'] } } },
    },
    now: { images: { base: { layers: ['1'], config: { Env: ['A=2'] } } } },
    code: 'base-settings',
    says: /the base image has another ENV A/,
  },
  'another salt': {
    before: { dockerfile: run('a'), salt: 'x' },
    now: { salt: 'y' },
    code: 'cache-salt',
    says: /salt/,
  },
  'another command': {
    before: { dockerfile: run('a') },
    now: { dockerfile: run('b') },
    code: 'command-changed',
    says: /its command changed/,
  },
  'another shell': {
    before: { dockerfile: `${FROM}SHELL ["/bin/sh","-c"]\nRUN a\n` },
    now: { dockerfile: `${FROM}SHELL ["/bin/bash","-c"]\nRUN a\n` },
    code: 'shell-changed',
    says: /its SHELL changed/,
  },
  'another script': {
    before: { dockerfile: `${FROM}RUN <<E\n#!/bin/sh\na\nE\n` },
    now: { dockerfile: `${FROM}RUN <<E\n#!/bin/sh\nb\nE\n` },
    code: 'script-changed',
    says: /its script changed/,
  },
  'another value of an ARG': {
    before: { dockerfile: ARG, buildArgs: { VERSION: 'hunter2' } },
    now: { buildArgs: { VERSION: 'hunter3' } },
    code: 'arg-changed',
    says: /^ARG VERSION changed since the build of 2026-11-28 14:02$/,
  },
  'several ARGs': {
    before: { dockerfile: ARG, buildArgs: { VERSION: '1' } },
    now: { buildArgs: { VERSION: '2', OTHER: '2' } },
    code: 'arg-changed',
    says: /^ARG VERSION and OTHER changed/,
  },
  'an ARG that has a value now': {
    before: { dockerfile: ARG },
    now: { buildArgs: { VERSION: '1' } },
    code: 'arg-added',
    says: /ARG VERSION is new/,
  },
  'an ARG that has none any more': {
    before: { dockerfile: ARG, buildArgs: { VERSION: '1' } },
    now: { buildArgs: {} },
    code: 'arg-removed',
    says: /ARG VERSION is gone/,
  },
  'another value of an ENV': {
    before: { dockerfile: `${FROM}ENV A=1\nRUN a\n` },
    now: { dockerfile: `${FROM}ENV A=2\nRUN a\n` },
    code: 'env-changed',
    says: /ENV A changed/,
  },
  'a new ENV': {
    before: { dockerfile: run('a') },
    now: { dockerfile: `${FROM}ENV A=1\nRUN a\n` },
    code: 'env-added',
    says: /ENV A is new/,
  },
  'an ENV that is gone': {
    before: { dockerfile: `${FROM}ENV A=1\nRUN a\n` },
    now: { dockerfile: run('a') },
    code: 'env-removed',
    says: /ENV A is gone/,
  },
  'another order of variables': {
    before: { dockerfile: `${FROM}ENV A=1\nENV B=1\nRUN a\n` },
    now: { dockerfile: `${FROM}ENV B=1\nENV A=1\nRUN a\n` },
    code: 'env-order',
    says: /order of its variables/,
  },
  'another user': {
    before: { dockerfile: run('a') },
    now: { dockerfile: `${FROM}USER 7\nRUN a\n` },
    code: 'user-changed',
    says: /USER/,
  },
  'another directory': {
    before: { dockerfile: `${FROM}WORKDIR /a\nRUN a\n` },
    now: { dockerfile: `${FROM}WORKDIR /b\nRUN a\n` },
    step: 1,
    code: ['workdir-changed', 'step-before'],
    says: /its WORKDIR changed; a step before it/,
  },
  'another network': {
    before: { dockerfile: run('a') },
    now: { dockerfile: run('--network=none a') },
    code: 'network-changed',
    says: /--network/,
  },
  'another name of the host': {
    before: { dockerfile: run('a') },
    now: { buildArgs: { BUILDKIT_SANDBOX_HOSTNAME: 'other' } },
    code: 'hostname-changed',
    says: /name of its host/,
  },
  'a secret that is required': {
    before: { dockerfile: run('--mount=type=secret,id=npm a') },
    now: { dockerfile: run('--mount=type=secret,id=npm,required=true a') },
    code: 'secret-changed',
    says: /the mount of the secret npm changed/,
  },
  'a new secret': {
    before: { dockerfile: run('a') },
    now: { dockerfile: run('--mount=type=secret,id=npm a') },
    code: 'secret-added',
    says: /the secret npm is new/,
  },
  'a secret that is gone': {
    before: { dockerfile: run('--mount=type=secret,id=npm a') },
    now: { dockerfile: run('a') },
    code: 'secret-removed',
    says: /the secret npm is gone/,
  },
  'another secret': {
    before: { dockerfile: run('--mount=type=secret,id=npm a') },
    now: { dockerfile: run('--mount=type=secret,id=pip a') },
    code: ['secret-added', 'secret-removed'],
    says: /the secret pip is new; the secret npm is gone since/,
  },
  'a new agent': {
    before: { dockerfile: run('a') },
    now: { dockerfile: run('--mount=type=ssh a') },
    code: 'ssh-added',
    says: /SSH agent default is new/,
  },
  'an agent that is gone': {
    before: { dockerfile: run('--mount=type=ssh a') },
    now: { dockerfile: run('a') },
    code: 'ssh-removed',
    says: /SSH agent default is gone/,
  },
  'an agent that is required': {
    before: { dockerfile: run('--mount=type=ssh a') },
    now: { dockerfile: run('--mount=type=ssh,required=true a') },
    code: 'ssh-changed',
    says: /SSH agent default changed/,
  },
  'another size of a mount': {
    before: { dockerfile: run('--mount=type=tmpfs,target=/t,size=1000 a') },
    now: { dockerfile: run('--mount=type=tmpfs,target=/t,size=2000 a') },
    code: 'mount-changed',
    says: /the mount at \/t changed/,
  },
  'a new mount': {
    before: { dockerfile: run('a') },
    now: { dockerfile: run('--mount=type=cache,target=/c a') },
    code: 'mount-added',
    says: /mount at \/c is new/,
  },
  'a mount that is gone': {
    before: { dockerfile: run('--mount=type=cache,target=/c a') },
    now: { dockerfile: run('a') },
    code: 'mount-removed',
    says: /mount at \/c is gone/,
  },
  'other files in a mount': {
    before: { dockerfile: run('--mount=target=/m a'), files: FILES },
    now: { files: { ...FILES, 'src/a.ts': 'x' } },
    code: 'mount-files-changed',
    says: /files that are mounted at \/m changed/,
  },
  'a file that changed': {
    before: { dockerfile: copy(''), files: FILES },
    now: { files: { ...FILES, 'src/a.ts': 'x' } },
    code: 'file-changed',
    says: /^src\/a.ts changed since/,
  },
  'files that changed': {
    before: { dockerfile: copy(''), files: FILES },
    now: { files: { 'src/a.ts': 'x', 'src/b.ts': 'x', 'src/c.ts': 'x', 'src/d.ts': 'x' } },
    code: 'file-changed',
    says: /^src\/a.ts and 3 more changed since/,
  },
  'a mode that changed': {
    before: { dockerfile: copy(''), files: FILES },
    now: { files: { ...FILES, 'src/a.ts': { content: 'a', mode: 0o755 } } },
    code: 'file-changed',
    says: /^src\/a.ts changed/,
  },
  'a new file': {
    before: { dockerfile: copy(''), files: FILES },
    now: { files: { ...FILES, 'src/e.ts': 'e' } },
    code: 'file-added',
    says: /src\/e.ts is new/,
  },
  'a file that is gone': {
    before: { dockerfile: copy(''), files: { ...FILES, 'src/e.ts': 'e' } },
    now: { files: FILES },
    code: 'file-removed',
    says: /src\/e.ts is gone/,
  },
  'another heredoc': {
    before: { dockerfile: `${FROM}COPY <<a.txt /\n1\na.txt\n` },
    now: { dockerfile: `${FROM}COPY <<a.txt /\n2\na.txt\n` },
    code: 'inline-changed',
    says: /the heredoc a.txt changed/,
  },
  'another answer of a URL': {
    before: { dockerfile: `${FROM}ADD https://x.example/a /\n`, urls: { 'https://x.example/a': '1' } },
    now: { urls: { 'https://x.example/a': '2' } },
    code: 'url-changed',
    says: /what https:\/\/x.example\/a answers with changed/,
  },
  'another commit': {
    before: { dockerfile: `${FROM}ADD https://x.example/a.git /a\n` },
    now: { commits: { 'https://x.example/a.git': '1'.repeat(40) } },
    code: 'git-changed',
    says: /https:\/\/x.example\/a.git has another commit/,
  },
  'another source': {
    before: { dockerfile: `FROM base AS one\nRUN a\nFROM base\nCOPY --from=one /a /\n` },
    now: { dockerfile: `FROM base AS one\nRUN a\nFROM base\nCOPY --from=one /b /\n` },
    step: 1,
    code: 'sources-changed',
    says: /it has other sources/,
  },
  'a stage to copy from that changed': {
    before: { dockerfile: `FROM base AS one\nRUN a\nFROM base\nCOPY --from=one /a /\n` },
    now: { dockerfile: `FROM base AS one\nRUN b\nFROM base\nCOPY --from=one /a /\n` },
    step: 1,
    code: 'stage-changed',
    says: /the stage one, which it copies from, is made anew/,
  },
  'an image to copy from that changed': {
    before: { dockerfile: `${FROM}COPY --from=tool /a /\n`, images: { tool: { layers: ['1'] } } },
    now: { images: { tool: { layers: ['2'] } } },
    code: 'image-changed',
    says: /the image tool, which it copies from, is another one/,
  },
  'another destination': {
    before: { dockerfile: copy(''), files: FILES },
    now: { dockerfile: copy('', '/b/') },
    code: 'destination-changed',
    says: /destination/,
  },
  'another --chown': {
    before: { dockerfile: copy(''), files: FILES },
    now: { dockerfile: copy('--chown=7') },
    code: 'chown-changed',
    says: /--chown/,
  },
  'another --link': {
    before: { dockerfile: copy(''), files: FILES },
    now: { dockerfile: copy('--link') },
    code: 'link-changed',
    says: /--link/,
  },
};

for (const [name, { before, now, step = 0, code, says }] of Object.entries(CASES))
  test(`a miss is explained: ${name}`, async () => {
    const trace = await traceOf(before);
    const plan = await planOf({ ...before, ...now });
    const causes = await causesOf(plan, stepsOf(plan)[step]!, { trace });
    assert.deepEqual(
      causes.map((cause) => cause.code),
      [code].flat(),
    );
    assert.match(causesText(causes), says);
    assert.doesNotMatch(JSON.stringify({ causes, trace }), /hunter/);
  });

interface Known {
  readonly trace?: Trace;
  readonly found?: readonly CacheRecord[];
  readonly refused?: Refusal;
  readonly gone?: readonly Digest[];
}

function causesOf(plan: Plan, step: Step, { trace, found = [], refused, gone = [] }: Known) {
  return createExplainer({
    plan,
    trace,
    found: new Map(found.map((record) => [record.key, record])),
    usable: { hits: new Map(), unusable: new Set(gone) },
    lookup: { ttlMs: 7 * 86_400_000, refused: new Map(refused ? [[step.key, refused]] : []) },
  })(step);
}

const REFUSALS: readonly [Refusal, RegExp][] = [
  [
    { code: 'expired', created: '2026-11-01T10:00:00Z' },
    /^its record is of 2026-11-01 10:00, older than 7 days$/,
  ],
  [{ code: 'unsigned' }, /^its record is not signed$/],
  [{ code: 'unknown-key', ids: ['k1'] }, /^its record is signed by no trusted key, but by k1$/],
  [{ code: 'wrong-signature', ids: ['k1'] }, /^the signature of k1 is not one of its record$/],
  [{ code: 'record-unreadable', message: 'it is no JSON' }, /^its record cannot be read: it is no JSON$/],
  [{ code: 'cache-unreachable', message: 'status 503' }, /^the cache cannot be asked: status 503$/],
];

for (const [refused, says] of REFUSALS)
  test(`a miss is explained by its record: ${refused.code}`, async () => {
    const build = { dockerfile: run('a') };
    const plan = await planOf(build);
    const causes = await causesOf(plan, stepsOf(plan)[0]!, { trace: await traceOf(build), refused });
    assert.deepEqual(
      causes.map(({ code }) => code),
      [refused.code],
    );
    assert.match(causesText(causes), says);
  });

test('a miss is explained by layers that are gone, records that are gone and those of another build', async () => {
  const build = { dockerfile: run('a') };
  const plan = await planOf(build);
  const [step] = stepsOf(plan);
  const record = fakeRecord(step!.key, ['l']);
  const codes = async (known: Known): Promise<string> => (await causesOf(plan, step!, known))[0]!.code;
  assert.equal(await codes({ found: [record], gone: [fakeLayer('l').digest] }), 'layer-gone');
  assert.equal(await codes({ found: [record] }), 'other-build');
  assert.equal(await codes({ trace: await traceOf(build) }), 'record-gone');
  assert.equal(await codes({}), 'never-built');
});

test('a trace of another key schema explains everything', async () => {
  const trace = await traceOf({ dockerfile: run('a') });
  const plan = await planOf({ dockerfile: run('b') });
  const causes = await causesOf(plan, stepsOf(plan)[0]!, { trace: { ...trace, schema: 1 } });
  assert.equal(causes[0]!.code, 'key-schema');
});

test('the trace of a tree of 5,000 files is bounded, and names the directory that changed', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 5000 }, (_, i) => [`src/d${i % 50}/f${i}.ts`, `content ${i}`]),
  );
  const build = { dockerfile: copy(''), files };
  const trace = await traceOf(build);
  assert.ok(packTrace(trace)!.length < 10_000);
  const plan = await planOf({ ...build, files: { ...files, 'src/d7/f7.ts': 'other' } });
  assert.match(causesText(await causesOf(plan, stepsOf(plan)[0]!, { trace })), /^src\/d7\/ changed/);
});

test('a step that was taken from the cache keeps the files that an earlier trace has', async () => {
  const build = { dockerfile: copy(''), files: FILES };
  const earlier = await traceOf(build);
  const plan = await planOf(build);
  const later = await makeTrace(plan, { at: AT, earlier, made: () => false });
  assert.deepEqual(later.stages, earlier.stages);
  const without = await makeTrace(plan, { at: AT, earlier: undefined, made: () => false });
  const changed = await planOf({ ...build, files: { ...FILES, 'src/a.ts': 'x' } });
  const causes = await causesOf(changed, stepsOf(changed)[0]!, { trace: without });
  assert.equal(causes[0]!.code, 'files-changed');
});

test('a trace that is broken, hostile or of another version costs the reason alone', async () => {
  const plan = await planOf({ dockerfile: run('a') });
  const store = createMemoryStore();
  const notes = [
    [],
    {},
    { trace: 1, packed: '' },
    { trace: 2, packed: 'AAAA' },
    { trace: 2, packed: 'A'.repeat(200_000) },
    null,
  ];
  for (const note of notes) assert.equal(unpackTrace(note), undefined);
  assert.equal(await readTrace(store, plan, signal), undefined);
  const trace = await traceOf({ dockerfile: run('a') });
  const names = Object.fromEntries([...Array(500)].map((_, i) => [`arg \u001b[31m${i}`, 'abc']));
  const hostile = {
    ...trace,
    stages: trace.stages.map((stage) => ({
      ...stage,
      steps: stage.steps.map((step) => ({ ...step, key: '', parts: names })),
    })),
  };
  const causes = await causesOf(plan, stepsOf(plan)[0]!, { trace: hostile });
  const text = causesText(causes);
  assert.ok(!text.includes('\u001b'));
  assert.ok(causes.every(({ names = [] }) => names.length <= 100));
});

test('a trace has equal marks for equal values alone under the same salt, and none tells a value', async () => {
  const build = (salt: string, pin: string): TestBuild => ({
    dockerfile: ARG,
    salt,
    buildArgs: { VERSION: pin },
  });
  const mark = async (salt: string, pin: string): Promise<string> =>
    (await traceOf(build(salt, pin))).stages[0]!.steps[0]!.parts['arg VERSION']!;
  assert.equal(await mark('a', '1234'), await mark('a', '1234'));
  assert.notEqual(await mark('a', '1234'), await mark('b', '1234'));
  // A mark has 18 bits: of a million values that are tried, four fit.
  assert.match(await mark('a', '1234'), /^[\w-]{3}$/);
});

test('an earlier build is named by the beginning of its time, and those that there are are said', async () => {
  const store = createMemoryStore();
  const build = { dockerfile: run('a') };
  const plan = await planOf(build);
  for (const at of ['2026-11-27T10:00:00Z', AT])
    await storeTrace(store, plan, await traceOf(build, at), signal);
  assert.equal((await readTrace(store, plan, signal))!.at, AT);
  assert.equal((await readTraceFrom(store, plan, '2026-11-27', signal)).at, '2026-11-27T10:00:00Z');
  assert.equal((await readTraceFrom(store, plan, '2026-11-28 14:02', signal)).at, AT);
  await assert.rejects(readTraceFrom(store, plan, '2025', signal), {
    code: 'REFERENCE',
    hint: /2026-11-28T14:02:09Z/,
  });
  assert.match(traceTag(plan), /^trace-[0-9a-f]{40}$/);
});

test('every cause has words of its own', () => {
  const rows = Object.values(MISS_CAUSES);
  assert.ok(rows.length >= 25);
  assert.equal(new Set(rows.map(({ says }) => says)).size, rows.length);
  assert.equal(new Set(rows.map(({ about }) => about)).size, rows.length);
});
