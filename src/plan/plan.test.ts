import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyOf, planOf, type TestBuild } from './testing.ts';

const BUILD: TestBuild = {
  dockerfile: `ARG BASE=debian
FROM \${BASE} AS build
ARG VERSION=1
ENV MODE=fast
WORKDIR /src
COPY --chown=5:5 src/ ./
RUN make $VERSION
FROM scratch
COPY --from=build /src/out /out
USER 7
RUN ["/out/check"]
`,
  files: { 'src/a.c': 'a', 'src/b.c': 'b', 'README.md': 'read me' },
};

const edit = (from: string, to: string): TestBuild => {
  assert.ok(BUILD.dockerfile.includes(from), from);
  return { ...BUILD, dockerfile: BUILD.dockerfile.replace(from, to) };
};

const CHANGES: Record<string, TestBuild> = {
  'the base image': { ...BUILD, buildArgs: { BASE: 'ubuntu' } },
  'the layers of the base': { ...BUILD, images: { debian: { layers: ['other'] } } },
  'ENV of the base': {
    ...BUILD,
    images: { debian: { layers: ['debian'], config: { Env: ['PATH=/bin', 'A=1'] } } },
  },
  'USER of the base': {
    ...BUILD,
    images: { debian: { layers: ['debian'], config: { Env: ['PATH=/bin'], User: '1' } } },
  },
  'the platform': { ...BUILD, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
  'the salt': { ...BUILD, salt: 'x' },
  'a build argument': { ...BUILD, buildArgs: { VERSION: '2' } },
  'an ENV that a RUN sees': edit('MODE=fast', 'MODE=slow'),
  'the working directory': edit('/src\nCOPY', '/srv\nCOPY'),
  'the content of a file': { ...BUILD, files: { ...BUILD.files, 'src/a.c': 'A' } },
  'the name of a file': { ...BUILD, files: { 'src/a.c': 'a', 'src/c.c': 'b', 'README.md': 'read me' } },
  'the mode of a file': { ...BUILD, files: { ...BUILD.files, 'src/a.c': { content: 'a', mode: 0o755 } } },
  'a new file': { ...BUILD, files: { ...BUILD.files, 'src/d.c': '' } },
  'a file that became a symlink': {
    ...BUILD,
    files: { ...BUILD.files, 'src/a.c': { content: '', symlink: 'b.c' } },
  },
  '--chown': edit('--chown=5:5', '--chown=5:6'),
  '--chmod': edit('--chown=5:5', '--chown=5:5 --chmod=700'),
  'the command': edit('make ', 'make -k '),
  SHELL: edit('RUN make', 'SHELL ["/bin/bash", "-c"]\nRUN make'),
  'the destination': edit('/src/out /out', '/src/out /output'),
  'the user': edit('USER 7', 'USER 8'),
  'the exec form': edit('RUN ["/out/check"]', 'RUN /out/check'),
  'a mount': edit('RUN make', 'RUN --mount=type=cache,target=/c make'),
  'the network': edit('RUN make', 'RUN --network=none make'),
};

for (const [what, changed] of Object.entries(CHANGES)) {
  test(`a change of ${what} changes the key`, async () => {
    assert.notEqual(await keyOf(changed), await keyOf(BUILD));
  });
}

const NEUTRAL: Record<string, TestBuild> = {
  'a comment': edit('ENV MODE', '# why\nENV MODE'),
  'LABEL, CMD, ENTRYPOINT, EXPOSE, VOLUME, HEALTHCHECK, STOPSIGNAL': edit(
    'WORKDIR',
    'LABEL a=b\nCMD x\nENTRYPOINT ["y"]\nEXPOSE 80\nVOLUME /v\nHEALTHCHECK NONE\nSTOPSIGNAL 9\nWORKDIR',
  ),
  'an ARG after the last RUN that could see it': edit(
    'RUN ["/out/check"]\n',
    'RUN ["/out/check"]\nARG LATER=1\n',
  ),
  'an ENV after the last RUN': edit('RUN ["/out/check"]\n', 'RUN ["/out/check"]\nENV LATER=1\n'),
  'a proxy argument': { ...BUILD, buildArgs: { http_proxy: 'http://proxy:1', HTTPS_PROXY: 'x' } },
  'a file that nothing copies': { ...BUILD, files: { ...BUILD.files, 'README.md': 'changed' } },
  'labels of the base': {
    ...BUILD,
    images: { debian: { layers: ['debian'], config: { Env: ['PATH=/bin'], Labels: { a: 'b' } } } },
  },
  'the name of the base': {
    ...BUILD,
    buildArgs: { BASE: 'mirror/debian' },
    images: { 'mirror/debian': { layers: ['debian'] } },
  },
  'the name of a stage': { ...BUILD, dockerfile: BUILD.dockerfile.replaceAll('build', 'builder') },
  CRLF: { ...BUILD, dockerfile: BUILD.dockerfile.replaceAll('\n', '\r\n') },
};

for (const [what, changed] of Object.entries(NEUTRAL)) {
  test(`${what} does not change the key`, async () => {
    assert.equal(await keyOf(changed), await keyOf(BUILD));
  });
}

test('owner, times and order of files never enter a key', async () => {
  const key = await keyOf(BUILD);
  const file = fc.record({ uid: fc.nat(70_000), gid: fc.nat(70_000), mtime: fc.nat(2_000_000_000) });
  await fc.assert(
    fc.asyncProperty(fc.array(file, { minLength: 3, maxLength: 3 }), fc.boolean(), async (meta, reverse) => {
      const names = Object.keys(BUILD.files!);
      const entries = names.map(
        (name, i) => [name, { content: BUILD.files![name] as string, ...meta[i]! }] as const,
      );
      assert.equal(
        await keyOf({ ...BUILD, files: Object.fromEntries(reverse ? entries.reverse() : entries) }),
        key,
      );
    }),
    { numRuns: 50 },
  );
});

test('an ARG is seen from its line on, and only in its stage', async () => {
  const of = (dockerfile: string, value: string) => keyOf({ dockerfile, buildArgs: { A: value } });
  const after = 'FROM scratch\nRUN ["x"]\nARG A\n';
  assert.equal(await of(after, '1'), await of(after, '2'));
  const before = 'FROM scratch\nARG A\nRUN ["x"]\n';
  assert.notEqual(await of(before, '1'), await of(before, '2'));
  const otherStage = 'FROM scratch AS a\nARG A\nRUN ["x"]\nFROM scratch\nRUN ["y"]\n';
  assert.equal(await of(otherStage, '1'), await of(otherStage, '2'));
  const global = 'ARG A\nFROM scratch\nRUN ["x"]\n';
  assert.equal(await of(global, '1'), await of(global, '2'));
});

test('a secret enters a key by its id, never by its value', async () => {
  const of = (mount: string) => keyOf({ dockerfile: `FROM scratch\nRUN --mount=type=secret,${mount} x\n` });
  assert.equal(await of('id=a'), await of('id=a'));
  assert.notEqual(await of('id=a'), await of('id=b'));
});

test('a stage that the target does not need is not planned', async () => {
  const dockerfile = 'FROM one AS a\nRUN a\nFROM two AS b\nRUN b\nFROM a\nRUN c\n';
  assert.deepEqual([...(await planOf({ dockerfile })).stages.keys()], [0, 2]);
  assert.deepEqual([...(await planOf({ dockerfile, target: 'b' })).stages.keys()], [1]);
});

test('stages that copy from each other are an error that names the stage', async () => {
  const dockerfile = 'FROM scratch AS a\nCOPY --from=b /x /x\nFROM scratch AS b\nCOPY --from=a /x /x\n';
  await assert.rejects(planOf({ dockerfile }), {
    code: 'DOCKERFILE',
    message: /stage b comes after stage a/,
  });
});

test('ONBUILD triggers of the base run first, and are not inherited', async () => {
  const images = {
    base: { layers: ['b'], config: { Env: ['PATH=/bin'], OnBuild: ['RUN trigger', 'ENV T=1'] } },
  };
  const planned = await planOf({ dockerfile: 'FROM base\nRUN own\n', images });
  const stage = planned.stages.get(0)!;
  assert.deepEqual(
    stage.steps.map((step) => step.operation.kind === 'run' && step.operation.argv.at(-1)),
    ['trigger', 'own'],
  );
  assert.equal(stage.config.OnBuild, undefined);
  assert.ok(stage.config.Env!.includes('T=1'));
});

test('config instructions give the config that Docker stores', async () => {
  const planned = await planOf({
    dockerfile: `FROM base
ENV A=1 B="two words"
LABEL x=y
EXPOSE 80 9000-9001/udp
VOLUME /data
USER app:staff
WORKDIR /a
WORKDIR b
CMD echo hi
ENTRYPOINT ["run"]
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --retries=2 CMD curl localhost
ONBUILD RUN later
`,
    images: { base: { layers: ['b'], config: { Env: ['PATH=/bin'], Cmd: ['old'], Labels: { base: '1' } } } },
  });
  const { config } = planned.stages.get(0)!;
  assert.deepEqual(config.Env, ['PATH=/bin', 'A=1', 'B=two words']);
  assert.deepEqual(config.Labels, { base: '1', x: 'y' });
  assert.deepEqual(Object.keys(config.ExposedPorts!), ['80/tcp', '9000/udp', '9001/udp']);
  assert.deepEqual(config.Volumes, { '/data': {} });
  assert.equal(config.User, 'app:staff');
  assert.equal(config.WorkingDir, '/a/b');
  assert.deepEqual(config.Cmd, ['/bin/sh', '-c', 'echo hi']);
  assert.deepEqual(config.Entrypoint, ['run']);
  assert.equal(config.StopSignal, 'SIGINT');
  assert.deepEqual(config.Healthcheck, { Test: ['CMD-SHELL', 'curl localhost'], Interval: 30e9, Retries: 2 });
  assert.deepEqual(config.OnBuild, ['RUN later']);
});

test('ENTRYPOINT drops a CMD of the base, but not one of its own stage', async () => {
  const images = { base: { layers: ['b'], config: { Cmd: ['old'] } } };
  const cmd = async (dockerfile: string) => (await planOf({ dockerfile, images })).stages.get(0)!.config.Cmd;
  assert.equal(await cmd('FROM base\nENTRYPOINT ["x"]\n'), undefined);
  assert.deepEqual(await cmd('FROM base\nCMD ["new"]\nENTRYPOINT ["x"]\n'), ['new']);
});

test('all keys are known before anything runs: planning twice gives the same keys', async () => {
  const keys = async () =>
    [...(await planOf(BUILD)).stages.values()].flatMap((stage) => stage.steps.map((step) => step.key));
  assert.deepEqual(await keys(), await keys());
  assert.equal(new Set(await keys()).size, 5);
});

test('content keys differ by salt and platform, so that they cannot be guessed or mixed', async () => {
  const scope = async (build: Partial<TestBuild>) =>
    (await planOf({ dockerfile: 'FROM scratch\nCOPY a /a\n', files: { a: 'a' }, ...build })).stages.get(0)!
      .contentScope;
  const arm: TestBuild['platform'] = { os: 'linux', architecture: 'arm64' };
  const scopes = await Promise.all([scope({}), scope({ salt: 'x' }), scope({ platform: arm })]);
  assert.equal(new Set(scopes).size, 3);
  assert.equal(await scope({}), scopes[0]);
});
