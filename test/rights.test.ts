import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { EXIT_CODES } from '../src/core/error.ts';
import { type ContainerOptions, useContainers } from './support/container.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

/* Rights that a process may lack, one by one: what needs one names it, and all else works. */

const containers = useContainers();
const { PERMISSION } = EXIT_CODES;

/** What Docker gives a container by default, and whether a build in a container needs it. */
const DEFAULTS: Readonly<Record<string, boolean>> = {
  CHOWN: true,
  DAC_OVERRIDE: true,
  FOWNER: true,
  FSETID: true,
  KILL: true,
  SETGID: true,
  SETUID: true,
  SETPCAP: false,
  NET_BIND_SERVICE: false,
  NET_RAW: false,
  SYS_CHROOT: false,
  MKNOD: false,
  AUDIT_WRITE: false,
  SETFCAP: false,
};

const base = (): string => `${containers.services.registry!.host}/busybox:1`;
const INIT = 'stat -c "%a %u:%g %n" /s /private /private/f /copied; ls /proc | grep -c "^[0-9]"';
const AS_BUILT = [
  '2755 0:1000 /s',
  '700 1000:1000 /private',
  '600 1000:0 /private/f',
  '640 1000:1000 /copied',
  '',
];

function start(docker: readonly string[], env: Readonly<Record<string, string>> = {}): ContainerOptions {
  return {
    docker,
    files: {
      Dockerfile: `FROM ${base()}
RUN printf 'root:x:0:0:root:/root:/bin/sh\\ndev:x:1000:1000::/:/bin/sh\\n' > /etc/passwd && \\
    printf 'root:x:0:\\ndev:x:1000:\\n' > /etc/group
RUN touch /s && chown 0:1000 /s && chmod 2755 /s && mkdir /private && touch /private/f && \\
    chown 1000:1000 /private && chown 1000 /private/f && chmod 700 /private && chmod 600 /private/f
COPY --chown=dev --chmod=640 f /copied
USER dev
RUN sleep 1000 & true
`,
      f: 'x',
    },
    env: { ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile', ENVBUILDER_INIT_SCRIPT: INIT, ...env },
  };
}

for (const [name, needed] of Object.entries(DEFAULTS)) {
  test(`a start without CAP_${name} ${needed ? 'says so' : 'works'}`, async (t) => {
    if (containers.missing !== undefined) return t.skip(containers.missing);
    const { code, stdout, stderr } = await containers.run(start([`--cap-drop=${name}`]));
    assert.doesNotMatch(stderr, /defect|\n {4}at /);
    if (needed) {
      assert.equal(code, PERMISSION.exit, stderr);
      assert.match(stderr, new RegExp(`^error: .* lacks: CAP_${name} to \\w+`, 'm'));
      assert.match(stderr, new RegExp(`^hint: .*--cap-add=${name}`, 'm'));
    } else {
      assert.equal(code, 0, stderr);
      const lines = stdout.toString().replaceAll('\r', '').split('\n').slice(0, 4);
      assert.deepEqual([...lines, ''], AS_BUILT);
    }
  });
}

const REFUSED: Readonly<Record<string, { readonly docker: readonly string[]; readonly says: RegExp }>> = {
  'another user': { docker: ['--user=1000'], says: /needs root, .* uid 1000/ },
  'a read-only root': { docker: ['--read-only'], says: /read-only/ },
  'no capability': { docker: ['--cap-drop=ALL'], says: /CAP_CHOWN to .*, CAP_DAC_OVERRIDE to / },
};

for (const [name, { docker, says }] of Object.entries(REFUSED)) {
  test(`a start with ${name}, also where a fallback image is to be used`, async (t) => {
    if (containers.missing !== undefined) return t.skip(containers.missing);
    const fallback = { ENVBUILDER_FALLBACK_IMAGE: base() };
    for (const env of [{}, fallback, { ...fallback, ENVBUILDER_DOCKERFILE_PATH: 'none' }]) {
      const { code, stderr } = await containers.run(start(docker, env));
      assert.equal(code, PERMISSION.exit, stderr);
      assert.match(stderr, says);
      assert.match(stderr, /^hint: /m);
      assert.doesNotMatch(stderr, /defect|\n {4}at /);
    }
  });
}

test('other commands in a container without rights: what they cannot do is no defect', async (t) => {
  if (containers.missing !== undefined) return t.skip(containers.missing);
  const commands = [
    ['build', '/workspaces/app'],
    ['build', '/workspaces/app', '--output=/out'],
    ['warm', '--cache-dir=/bases', base()],
    ['registry', 'serve', '--dir=/registry', '--addr=127.0.0.1:0'],
    ['probe', '/workspaces/app', '--layer-cache-dir=/cache'],
  ];
  const ways = [['--user=1000'], ['--read-only'], ['--cap-drop=ALL'], ['--cap-drop=DAC_OVERRIDE']];
  const tried = ways.map(async (docker) => {
    for (const args of commands) {
      // Wait: a server that has what it needs does not end by itself.
      const limit = args[0] === 'registry' ? { timeoutMs: 30_000 } : {};
      const { code, stderr } = await containers.run({ ...start(docker), args, ...limit });
      const serves = args[0] === 'registry' && code === 137;
      const done = args[0] === 'warm' && code === 0;
      assert.ok(serves || done || [10, 13, 18, 19].includes(code), `${docker} ${args}: ${code}\n${stderr}`);
      assert.doesNotMatch(stderr, /defect|\n {4}at /, `${docker} ${args}`);
    }
  });
  for (const way of await Promise.allSettled(tried)) if (way.status === 'rejected') throw way.reason;
});

/** What a build on a host needs; SETFCAP only where a file has capabilities. */
const FOR_MOUNTS = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'SYS_CHROOT',
  'SYS_ADMIN',
  'MKNOD',
];

for (const name of [...FOR_MOUNTS, 'KILL', 'NET_RAW', 'SETFCAP']) {
  const needed = FOR_MOUNTS.includes(name);
  test(`a build on a host without CAP_${name} ${needed ? 'says so' : 'works'}`, async (t) => {
    const box = sandbox(t);
    const lower = name.toLowerCase();
    const under = ['setpriv', `--bounding-set=-${lower}`, `--inh-caps=-${lower}`];
    const result = await box.build([`--output=${box.path('out')}`], { under });
    assert.doesNotMatch(result.stderr, /defect|\n {4}at /);
    assert.equal(result.code, needed ? PERMISSION.exit : 0, result.output);
    if (needed) assert.match(result.stderr, new RegExp(`^error: .* CAP_${name} to \\w+`, 'm'));
    if (!needed) assert.match(execFileSync('ls', [box.path('out')], { encoding: 'utf8' }), /copied/);
  });
}

test('a file that only its owner may read names the capability that root lacks', async (t) => {
  const box = sandbox(t);
  mkdirSync(box.path('theirs'));
  writeFileSync(box.path('theirs/Dockerfile'), 'FROM scratch\n');
  chownSync(box.path('theirs'), 1000, 1000);
  chmodSync(box.path('theirs'), 0o700);
  const under = [
    'setpriv',
    '--bounding-set=-dac_override,-dac_read_search',
    '--inh-caps=-dac_override,-dac_read_search',
  ];
  const result = await box.build([], { under, context: box.path('theirs') });
  assert.equal(result.code, PERMISSION.exit, result.output);
  assert.match(result.stderr, /CAP_DAC_OVERRIDE/);
  assert.match(result.stderr, /--cap-add=DAC_OVERRIDE/);
});

function sandbox(t: TestContext): Sandbox {
  const box = createSandbox({ Dockerfile: 'FROM scratch\nCOPY f /copied\n', f: 'x' });
  t.after(() => box.close());
  return box;
}
