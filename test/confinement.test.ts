import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { archiveOf } from '../src/devcontainer/features/testing.ts';
import { type Canary, createCanary } from './support/canary.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { createSandbox, type Sandbox, type SandboxResult } from './support/sandbox.ts';

/*
 * Trees that somebody else has filled hold links that lead to the host. A directory of the host stands beside everything
 * here; nothing may change it, and nothing of it may be shown or get into an image.
 */

const environment = useEnvironment(['registry']);

interface Trial {
  readonly box: Sandbox;
  readonly canary: Canary;
  /** Fills `CANARY` and `BASE` in. */
  fill(text: string): string;
  link(path: string, target: string): void;
  /** Builds these lines on top of BusyBox into `out/`, and looks after the canary. */
  build(lines: readonly string[], args?: readonly string[]): Promise<SandboxResult>;
  /** A file of what was built. */
  built(path: string): string;
}

function trial(t: TestContext, files: Readonly<Record<string, string>> = {}): Trial | undefined {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) {
    t.skip(missing);
    return undefined;
  }
  const box = createSandbox(files);
  t.after(() => box.close());
  const canary = createCanary(box.path('host'));
  const base = `${environment.services.registry!.host}/busybox:1`;
  const fill = (text: string): string => text.replaceAll('CANARY', canary.dir).replaceAll('BASE', base);
  let count = 0;
  return {
    box,
    canary,
    fill,
    link: (path, target) => {
      mkdirSync(dirname(join(box.context, path)), { recursive: true });
      symlinkSync(fill(target), join(box.context, path));
    },
    build: async (lines, args = []) => {
      count += 1;
      box.write({ Dockerfile: fill(['FROM BASE', ...lines, ''].join('\n')) });
      const result = await box.build([`--output=${box.path(`out${count}`)}`, ...args]);
      canary.assertUntouched(result.output);
      assert.doesNotMatch(result.stderr, /defect in envbuilder/);
      const out = box.path(`out${count}`);
      if (existsSync(out)) {
        const found = spawnSync('grep', ['-rlF', '--devices=skip', canary.secret, out], {
          encoding: 'utf8',
        }).stdout;
        assert.equal(found, '', 'files of the host are in the image');
      }
      box.assertClean();
      return result;
    },
    built: (path) => readFileSync(join(box.path(`out${count}`), path), 'utf8'),
  };
}

/** Links that lead to the directory of the host, by name. */
const LINKS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  absolute: { l: 'CANARY' },
  relative: { l: '../host' },
  'to a file': { l: 'CANARY/secret' },
  'in the middle': { 'm/up': '../..', l: 'm/up/host' },
  'a chain': { 'a/b/c/up': '../../..', e: 'a/b/c/up/../host', l: 'e' },
  'a link to a link': { k: '../host', l: '/k' },
};

describe('a link of the context leads nowhere but into the context', () => {
  for (const [name, links] of Object.entries(LINKS))
    test(name, async (t) => {
      const at = trial(t, { kept: 'kept', 'd/file': 'inside' });
      if (!at) return;
      for (const [path, target] of Object.entries(links)) at.link(path, target);
      at.link('inside', '/d');
      const lines = [
        'COPY l/ /x/',
        'RUN --mount=type=bind,source=l,target=/m,rw cat /m /m/secret; echo x >/m/new; echo x >/m',
        'RUN --mount=type=bind,source=l/sub,target=/m cat /m/secret',
        'COPY l /x',
        'COPY l/secre[t] /x/',
        'ADD l /x',
      ];
      for (const line of name === 'absolute' ? lines : lines.slice(0, 2)) {
        const result = await at.build([line]);
        assert.equal(result.code, 5, `${line}\n${result.output}`);
      }
      const whole = await at.build([
        'RUN --mount=type=bind,source=inside,target=/m cp /m/file /from-mount',
        'RUN --mount=type=bind,target=/m,rw cat /m/l /m/l/* >/seen 2>&1 || true; echo x >/m/new',
        'COPY . /all/',
        'COPY inside /in/',
      ]);
      assert.equal(whole.code, 0, whole.output);
      assert.equal(at.built('from-mount') + at.built('in/file'), 'insideinside');
      assert.ok(!existsSync(join(at.box.context, 'new')), 'the context is never written to');
    });
});

test('mounts find their sources and targets inside stages, contexts and earlier mounts', async (t) => {
  const at = trial(t, { f: 'f', 'other/f': 'other' });
  if (!at) return;
  at.link('link', 'CANARY');
  at.link('other/link', 'CANARY');
  const hostile =
    'RUN ln -s CANARY /l && ln -s ../../../../../../../..CANARY /r && mkdir /d && ln -s /l/sub /d/m';
  const sources = ['/l', 'r/sub', '/d/m', '/d/../l'];
  for (const source of sources) {
    for (const mount of [
      `type=bind,from=s,source=${source},target=/m`,
      `type=bind,from=s,source=${source},target=/m,rw`,
      `type=cache,from=s,source=${source},target=/m`,
    ]) {
      const lines = [
        'AS s',
        hostile,
        'FROM BASE',
        `RUN --mount=${mount} cat /m/secret /m >/seen; echo x >/m/new`,
      ];
      const tried = await buildStages(at, lines);
      assert.ok([3, 5].includes(tried.code), `${mount}\n${tried.output}`);
    }
  }
  const result = await at.build(
    [
      'RUN --mount=type=bind,source=.,target=/m,rw --mount=type=bind,source=f,target=/m/link/y ls -l /m',
      'RUN --mount=type=bind,source=.,target=/m,rw --mount=type=tmpfs,target=/m/link/sub echo x >/m/link/sub/x',
      'RUN ln -s CANARY /t && ln -s ../../../../../../../../..CANARY /u',
      'RUN --mount=type=bind,source=f,target=/t/file test -f /t/file',
      'RUN --mount=type=cache,target=/u/sub echo x >/u/sub/x',
      'RUN --mount=type=bind,from=other,source=f,target=/m cp /m /f',
      'RUN --mount=type=secret,id=s,target=/t/sub/secret cat /t/sub/secret >/dev/null',
    ],
    [
      `--build-context=other=${join(at.box.context, 'other')}`,
      `--secret=id=s,src=${join(at.box.context, 'f')}`,
    ],
  );
  assert.equal(result.code, 0, result.output);
  assert.equal(at.built('f'), 'other');
  const named = await at.build(
    ['RUN --mount=type=bind,from=other,source=link,target=/m cat /m/secret'],
    [`--build-context=other=${join(at.box.context, 'other')}`],
  );
  assert.equal(named.code, 5, named.output);
});

async function buildStages(at: Trial, lines: readonly string[]): Promise<SandboxResult> {
  at.box.write({ Dockerfile: at.fill(`FROM BASE ${lines.join('\n')}\n`) });
  const result = await at.box.build([]);
  at.canary.assertUntouched(result.output);
  return result;
}

test('the removal of mount points follows no link that the RUN made', async (t) => {
  const at = trial(t, { f: 'f' });
  if (!at) return;
  const result = await at.build([
    'RUN --mount=type=bind,target=/a/empty-directory mv /a /z && ln -s CANARY /a',
    'RUN --mount=type=bind,source=f,target=/b/empty-file mv /b /y && ln -s CANARY /b',
    'RUN --mount=type=bind,source=f,target=/c/d/empty-file mv /c/d /x && ln -s CANARY /c/d',
  ]);
  assert.equal(result.code, 0, result.output);
});

test('COPY, ADD and WORKDIR write inside the image, whatever links it has', async (t) => {
  const at = trial(t, { f: 'f', 'd/sub/x': 'x' });
  if (!at) return;
  writeFileSync(
    join(at.box.context, 'chain.tar'),
    archiveOf({
      'a/b/c/up': { type: 'symlink', linkname: '../../..' },
      e: { type: 'symlink', linkname: at.fill('a/b/c/up/../../../../../../../..CANARY') },
      'e/from-archive': 'bad',
    }),
  );
  writeFileSync(
    join(at.box.context, 'mode.tar'),
    archiveOf({
      'm/': { type: 'dir', mode: 0o777 },
      m: { type: 'symlink', linkname: at.fill('CANARY/sub') },
    }),
  );
  const result = await at.build([
    'RUN ln -s CANARY /l && ln -s ../../../../../../../..CANARY /r && ln -s CANARY/secret /s && mkdir -p CANARY',
    'COPY f /l/new',
    'COPY f /r/other',
    'COPY d/ /l/',
    'COPY f /s',
    'ADD f /l/secret',
    'COPY --chown=1:1 --chmod=777 d/ /r/',
    'WORKDIR /l/work',
    'RUN pwd >/where && cat CANARY/new CANARY/other CANARY/secret >/all',
  ]);
  assert.equal(result.code, 0, result.output);
  assert.equal(at.built('where'), `${at.canary.dir}/work\n`);
  assert.equal(at.built('all'), 'fff');
  for (const archive of ['chain.tar', 'mode.tar']) {
    const { code, output } = await at.build([`ADD ${archive} /x/`]);
    assert.ok([0, 9].includes(code), output);
  }
});

test('users are read from files, and from nothing else', async (t) => {
  const at = trial(t);
  if (!at) return;
  for (const [file, made, message] of [
    ['passwd', 'mkfifo F', /\/etc\/passwd of the image.* a named pipe, not a regular file/],
    ['passwd', 'mknod F c 1 5', /\/etc\/passwd of the image.* a character device/],
    ['group', 'mkfifo F', /\/etc\/group of the image.* a named pipe/],
    ['group', 'mkfifo /p && ln -s /p F', /\/etc\/group of the image.* a named pipe/],
    ['passwd', 'dd if=/dev/null of=F bs=1M seek=17', /\/etc\/passwd of the image.* more than \d+ bytes/],
    ['passwd', 'ln -s F F', /\/etc\/passwd of the image/],
    ['passwd', 'ln -s CANARY/secret F', /the user "nobody" is not in/],
    ['passwd', 'mkdir F', /the user "nobody" is not in/],
    ['group', 'ln -s /dev/zero F', undefined],
  ] as const) {
    const path = `/etc/${file}`;
    const result = await at.build([
      `RUN rm -f ${path} && ${made.replaceAll('F', path)}`,
      'USER nobody:staff',
      'RUN true',
    ]);
    assert.equal(result.code, 3, `${made}\n${result.output}`);
    if (message) assert.match(result.stderr, message);
  }
});

test('a feature writes nothing through its links', async (t) => {
  const at = trial(t);
  if (!at) return;
  for (const [name, target] of [
    ['overwrites', 'CANARY/secret'],
    ['creates', 'CANARY/new'],
    ['relative', '../../../../host/secret'],
    ['itself', 'devcontainer-features.env'],
  ] as const) {
    at.box.write({
      [`${name}/.devcontainer/devcontainer.json`]: JSON.stringify({
        image: at.fill('BASE'),
        features: { './f': { greeting: 'hello' } },
      }),
      [`${name}/.devcontainer/f/devcontainer-feature.json`]: JSON.stringify({
        id: 'f',
        version: '1.0.0',
        options: { greeting: { type: 'string', default: '' } },
      }),
      [`${name}/.devcontainer/f/install.sh`]: '#!/bin/sh\necho "$GREETING" >/installed\n',
    });
    at.link(`${name}/.devcontainer/f/devcontainer-features.env`, target);
    const out = at.box.path(`feature-${name}`);
    const result = await at.box.build(['--devcontainer', `--output=${out}`], {
      context: join(at.box.context, name),
    });
    assert.equal(result.code, 0, result.output);
    at.canary.assertUntouched(result.output);
    assert.equal(readFileSync(join(out, 'installed'), 'utf8'), 'hello\n');
  }
  assert.deepEqual(readdirSync(at.canary.dir).sort(), ['empty-directory', 'empty-file', 'secret', 'sub']);
});
