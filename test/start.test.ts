import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as listenOn } from 'node:net';
import { type TestContext, test } from 'node:test';
import { run } from '../scripts/lib/shell.ts';
import { createRepository } from '../src/workspace/testing.ts';
import { type ContainerOptions, useContainers, WORKSPACE } from './support/container.ts';
import { referrersOf, repositoryAt, statementOf } from './support/referrers.ts';
import { makeRepository } from './support/repository.ts';

const containers = useContainers();

function skipped(t: TestContext): boolean {
  if (containers.missing !== undefined) t.skip(containers.missing);
  return containers.missing !== undefined;
}

/** Ten times what a stop may take. */
const STOP_TIME = '--time=50';

const base = (): string => `${containers.services.registry!.host}/busybox:1`;

/** Users, and a home with a file of root's. */
const USERS = `printf 'root:x:0:0:root:/root:/bin/sh\\ndev:x:1000:1000::/home/dev:/bin/sh\\n' > /etc/passwd && \\
  printf 'root:x:0:\\ndev:x:1000:\\naudio:x:63:dev\\n' > /etc/group && \\
  mkdir -p /home/dev /root && touch /home/dev/file`;

/** An image that Docker made in the shape of those that we push. */
async function prebuilt(name: string, metadata: readonly object[], config: object = {}): Promise<string> {
  const { docker } = containers.services;
  const Labels = { 'devcontainer.metadata': JSON.stringify(metadata) };
  const Env = ['FROM_IMAGE=1', 'PATH=/bin:/usr/bin'];
  const context = containers.directory({
    Dockerfile: `FROM envbuilder-runtime:test AS own
FROM ${base()}
COPY --from=own /.envbuilder /.envbuilder
RUN ${USERS}
COPY image.json /.envbuilder/image
ENV KANIKO_DIR=/.envbuilder
ENTRYPOINT ["/.envbuilder/bin/envbuilder"]
`,
    'image.json': JSON.stringify({ version: 1, config: { User: 'dev', Env, Labels, ...config }, start: {} }),
  });
  const args = ['build', '--quiet', '--network=host', `--tag=${name}`, context];
  await run(docker!.command, args, { env: docker!.env });
  return name;
}

/** What a pre-built container prints: standard output is that of the init script alone. */
async function printed(options: ContainerOptions): Promise<string> {
  const { code, stdout, stderr } = await containers.run({ files: {}, ...options });
  assert.equal(code, 0, stderr);
  return stdout.toString().replaceAll('\r', '');
}

test('the init command does not wait for what serves: entry points, and hooks behind waitFor', async (t) => {
  if (skipped(t)) return;
  const image = await prebuilt('start-beside', [
    { id: 'feature', entrypoint: 'echo feature serves; sleep 3000' },
    {
      waitFor: 'postCreateCommand',
      postCreateCommand: 'echo made',
      postStartCommand:
        'while grep -q envbuilder /proc/1/cmdline; do sleep 0.1; done; echo hook serves; sleep 3000',
    },
  ]);
  const container = await containers.start({
    image,
    files: {},
    env: { ENVBUILDER_INIT_SCRIPT: 'echo the command runs; sleep 3000' },
  });
  const log = await container.until(/postStartCommand: hook serves/);
  const at = (text: string): number => log.indexOf(text);
  assert.ok(at('entrypoint: feature serves') >= 0, log);
  assert.ok(at('postCreateCommand: made') < at('starting /bin/sh'), log);
  assert.ok(at('the command runs') >= 0, log);
});

test('a container of a built image: user, environment, hooks, and nothing of ours', async (t) => {
  if (skipped(t)) return;
  const image = await prebuilt('start-user', [
    { id: 'feature', entrypoint: 'echo entry as $(id -un)' },
    { containerEnv: { A: 'container' }, remoteEnv: { B: 'remote $' + '{containerEnv:A}' } },
    {
      onCreateCommand: 'echo created as $(id -un)',
      postStartCommand: { one: 'echo $A', two: ['echo', 'two'] },
    },
  ]);
  const script =
    'id; pwd; env; cat /proc/1/cmdline | tr "\\0" "\\n"; grep SigIgn /proc/self/status; ls -ln /home/dev';
  const container = await containers.start({
    image,
    files: { 'file.txt': 'x' },
    env: {
      ENVBUILDER_INIT_SCRIPT: `${script}; trap 'echo ended; exit 7' TERM; while :; do sleep 0.1; done`,
      ENVBUILDER_GIT_PASSWORD: 'secret-of-git',
      ENVBUILDER_EXPORT_ENV_FILE: '/exported',
      OWN: 'own',
      NODE_OPTIONS: '--max-old-space-size=100',
    },
  });
  const log = await container.until(/total/);
  assert.match(
    log,
    /uid=1000\(dev\) gid=1000\(dev\) groups=(63\(audio\),1000\(dev\)|1000\(dev\),63\(audio\))/,
  );
  for (const line of [
    `${WORKSPACE}`,
    'FROM_IMAGE=1',
    'ENVBUILDER=true',
    'A=container',
    'B=remote container',
    'HOME=/home/dev',
    'USER=dev',
    'SHELL=/bin/sh',
    'OWN=own',
    'NODE_OPTIONS=--max-old-space-size=100',
    'entrypoint: entry as dev',
    'onCreateCommand: created as dev',
    'postStartCommand one: container',
    'postStartCommand two: two',
    '/bin/sh',
    '-c',
  ])
    assert.ok(log.split('\n').includes(line), `${line} in:\n${log}`);
  assert.match(log, /SigIgn:\s*0{16}/);
  assert.match(log, /1000 +1000 .* file/);
  assert.doesNotMatch(log, /^(ENVBUILDER_|KANIKO_|LD_)|secret-of-git/m);
  await assert.rejects(container.exec('test -e /exported'));
  // The signal reaches what took our place, and its exit code is the container's.
  await container.docker('kill', '--signal=TERM');
  assert.equal(await container.end(), 7);
  await container.docker('start');
  const again = await container.until(/^ended$[\s\S]*^SigIgn/m);
  assert.equal(again.match(/onCreateCommand: created/g)?.length, 1, 'it is created once');
  assert.equal(again.match(/postStartCommand two/g)?.length, 2);
});

test('the init command, its arguments and its exit code', async (t) => {
  if (skipped(t)) return;
  const image = await prebuilt('start-init', []);
  const args = { ENVBUILDER_INIT_COMMAND: 'printf', ENVBUILDER_INIT_ARGS: `'<%s>' "a b" c\\ d ''` };
  assert.equal(await printed({ image, env: args }), '<a b><c d><>');
  const failed = await containers.run({ image, env: { ENVBUILDER_INIT_SCRIPT: 'exit 9' } });
  assert.equal(failed.code, 9);
  const absent = await containers.run({ image, env: { ENVBUILDER_INIT_COMMAND: '/no/such' } });
  assert.equal(absent.code, 20);
  assert.match(absent.stderr, /error: cannot start \/no\/such: \/no\/such was not found/);
  const open = await containers.run({ image, env: { ENVBUILDER_INIT_ARGS: `'open` } });
  assert.equal(open.code, 2);
});

test('the setup script is root’s, chooses the user and the command, and ends the start when it fails', async (t) => {
  if (skipped(t)) return;
  const image = await prebuilt('start-setup', []);
  const setup = (script: string) =>
    containers.run({
      image,
      files: {},
      env: { ENVBUILDER_SETUP_SCRIPT: script, ENVBUILDER_INIT_SCRIPT: 'id -un' },
    });
  const chosen = await setup(
    `echo "$(id -un) $HOME $TARGET_USER $PWD"; echo TARGET_USER=root >> $ENVBUILDER_ENV; echo INIT_COMMAND=/bin/id >> $ENVBUILDER_ENV; echo "INIT_ARGS='-u'" >> $ENVBUILDER_ENV`,
  );
  assert.equal(chosen.stdout.toString(), '0\n');
  assert.match(chosen.stderr, new RegExp(`setup script: root /root dev ${WORKSPACE}`));
  assert.equal((await setup('true')).stdout.toString(), 'dev\n');
  const failed = await setup('echo why >&2; exit 3');
  assert.equal(failed.code, 20);
  assert.match(failed.stderr, /setup script: why[\s\S]*the setup script exited with code 3/);
  assert.match((await setup('echo PATH=x >> $ENVBUILDER_ENV')).stderr, /unknown key "PATH"/);
  assert.match(
    (await setup('echo TARGET_USER=who >> $ENVBUILDER_ENV')).stderr,
    /the user "who" is not in \/etc\/passwd/,
  );
});

test('a terminal is passed through', async (t) => {
  if (skipped(t)) return;
  const image = await prebuilt('start-tty', []);
  const output = await printed({
    image,
    docker: ['--tty'],
    env: {
      ENVBUILDER_SETUP_SCRIPT: 'tty; echo setup',
      ENVBUILDER_INIT_SCRIPT: 'tty; test -t 0 && test -t 1 && echo init',
    },
  });
  assert.match(output, /\/dev\/pts\/0\nsetup\n[\s\S]*\/dev\/pts\/0\ninit\n/);
});

test('a stop while hooks run ends them and the container', async (t) => {
  if (skipped(t)) return;
  const image = await prebuilt('start-stop', [{ postCreateCommand: 'echo waiting; sleep 1000' }]);
  const container = await containers.start({ image, files: {} });
  await container.until(/waiting$/m);
  await container.docker('stop', STOP_TIME);
  assert.equal(await container.end(), 130, 'docker would have killed it, with 137');
});

test('the repository is cloned, and is the user’s', async (t) => {
  if (skipped(t)) return;
  const image = await prebuilt('start-clone', []);
  const { http } = containers.services;
  const output = await printed({
    image,

    files: {},
    env: {
      ENVBUILDER_GIT_URL: `http://${http!.host}/git/refs.git#refs/heads/other`,
      ENVBUILDER_INIT_SCRIPT: 'cat README other.txt; stat -c "%U %n" . README .git/HEAD',
    },
  });
  assert.equal(output, 'readme\nother\ndev .\ndev README\ndev .git/HEAD\n');
});

test('dotfiles are cloned without git in the image, are the user’s, and hold no login', async (t) => {
  if (skipped(t)) return;
  const image = await prebuilt('start-dotfiles', [
    { postCreateCommand: 'echo made', postStartCommand: 'echo started with $(cat ~/.chosen)' },
  ]);
  const address = await makeRepository(containers.services, 'dots', {
    'install.sh': 'echo installing as $(id -un) in $PWD; echo dots > ~/.chosen',
  });
  const container = await containers.start({
    image,
    files: {},
    env: {
      ENVBUILDER_DOTFILES_URL: address.replace('://', '://me:secret-of-dots@'),
      ENVBUILDER_INIT_SCRIPT:
        'stat -c "%U %n" ~/dotfiles/.git/config; cat ~/dotfiles/.git/config; env; echo end',
    },
  });
  assert.equal(await container.end(), 0);
  const log = await container.until(/^end$/m);
  const at = (text: string): number => log.indexOf(text);
  assert.ok(at('dotfiles: installing as dev in /home/dev/dotfiles') > at('postCreateCommand: made'), log);
  assert.ok(at('postStartCommand: started with dots') > at('dotfiles: installing'), log);
  assert.match(log, /^dev \/home\/dev\/dotfiles\/.git\/config$/m);
  assert.match(log, new RegExp(`url = ${address}$`, 'm'));
  assert.doesNotMatch(log, /secret-of-dots|DOTFILES/);
  await container.docker('start');
  const again = await container.until(/^end$[\s\S]*^end$/m);
  assert.equal(again.match(/dotfiles: installing/g)?.length, 1, 'once in a container');
  assert.equal(again.match(/postStartCommand: started with dots/g)?.length, 2);
});

test('logs go to a Coder server; the agent’s variables reach the agent, and no log has the token', async (t) => {
  if (skipped(t)) return;
  const image = await prebuilt('start-coder', [{ postStartCommand: 'echo hook says $CODER_AGENT_TOKEN' }]);
  const lines: string[] = [];
  const paths = new Set<string>();
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    paths.add(`${request.method} ${request.url} ${request.headers['coder-session-token']}`);
    for (const { level, output } of JSON.parse(text).logs ?? []) lines.push(`${level} ${output}`);
    response.writeHead(request.method === 'POST' ? 201 : 200).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const env = {
    CODER_AGENT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    CODER_AGENT_TOKEN: 'token-of-the-agent',
    ENVBUILDER_INIT_SCRIPT: 'echo $CODER_AGENT_TOKEN $CODER_AGENT_URL $CODER_AGENT_SUBSYSTEM',
  };
  const done = await containers.run({ image, files: {}, env });
  assert.equal(done.stdout.toString(), `token-of-the-agent ${env.CODER_AGENT_URL} envbuilder\n`);
  assert.deepEqual(
    [...paths],
    [
      'POST /api/v2/workspaceagents/me/log-source token-of-the-agent',
      'PATCH /api/v2/workspaceagents/me/logs token-of-the-agent',
    ],
  );
  assert.ok(lines.includes('info postStartCommand: hook says ***'), lines.join('\n'));
  assert.ok(lines.some((line) => line.startsWith('info starting /bin/sh')));
  assert.ok(![...lines, done.stderr].some((text) => text.includes('token-of-the-agent')));
  const failed = await containers.run({
    image,
    files: {},
    env: { ...env, ENVBUILDER_SETUP_SCRIPT: 'exit 1' },
  });
  assert.equal(failed.code, 20);
  const errors = lines.filter((line) => line.startsWith('error '));
  // Nothing but the error and its hint.
  assert.equal(errors.length, 2, lines.join('\n'));
  assert.equal(errors[0], 'error error: the setup script exited with code 1');
  assert.match(errors[1] ?? '', /^error hint: /);
});

test('the address of a Coder server without a token is an error, for a probe too', async (t) => {
  if (skipped(t)) return;
  // Observed: envbuilder (Go) ends with an error before anything else; a token without an address it passes over.
  const CODER_AGENT_URL = 'http://127.0.0.1:9';
  for (const more of [{}, { ENVBUILDER_GET_CACHED_IMAGE: 'true', ENVBUILDER_CACHE_REPO: newRepository() }]) {
    const { code, stderr } = await containers.run({ files: {}, env: { CODER_AGENT_URL, ...more } });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /CODER_AGENT_URL is set without CODER_AGENT_TOKEN/);
  }
});

test('a repository in a directory, with names that are no UTF-8: the log says what a start does', async (t) => {
  if (skipped(t)) return;
  const outside = containers.directory({});
  const origin = createRepository(`${outside}/origin`);
  const odd = Buffer.from('/odd\xff', 'latin1');
  writeFileSync(Buffer.concat([Buffer.from(origin.path), odd]), 'bytes\n');
  mkdirSync(Buffer.concat([Buffer.from(origin.path), Buffer.from('/dir\xe9', 'latin1')]));
  writeFileSync(Buffer.concat([Buffer.from(origin.path), Buffer.from('/dir\xe9/f\xfe', 'latin1')]), 'deep\n');
  const commit = origin.commit({
    '.gitattributes': '*.bin filter=lfs\n',
    '.dockerignore': '.git\n',
    'large.bin': 'version https://git-lfs.github.com/spec/v1\n',
    '.devcontainer/devcontainer.json': JSON.stringify({ build: { dockerfile: 'Dockerfile', context: '..' } }),
    '.devcontainer/Dockerfile': `FROM ${base()}\nRUN ${USERS}\nCOPY . /copied\nRUN true\nUSER dev\n`,
  });
  const cache = newRepository();
  const start = () =>
    containers.run({
      docker: [`--volume=${outside}:/srv:ro`],
      env: {
        ENVBUILDER_GIT_URL: 'file:///srv/origin#trunk',
        ENVBUILDER_CACHE_REPO: cache,
        ENVBUILDER_PUSH_IMAGE: 't',
        ENVBUILDER_CACHE_TTL_DAYS: '0',
        ENVBUILDER_INIT_SCRIPT: `cat odd* dir*/f* /copied/odd* /copied/dir*/f*; stat -c %U odd* dir*`,
      },
    });
  for (const [built, found] of [
    [3, 0],
    [0, 3],
  ]) {
    const { code, stdout, stderr } = await start();
    assert.equal(code, 0, stderr);
    assert.equal(stdout.toString(), 'bytes\ndeep\nbytes\ndeep\ndev\ndev\n');
    const log = stderr.split('\n');
    const texts = [
      'cloning file:///srv/origin, trunk',
      `cloned file:///srv/origin: the branch trunk at ${commit}`,
      `building the dev container ${WORKSPACE}/.devcontainer/devcontainer.json`,
      `of 3 steps ${built} were built; ${found} came from the cache ${cache}`,
    ];
    assert.deepEqual(
      log.filter((line) => texts.includes(line)),
      texts,
      stderr,
    );
    assert.match(stderr, new RegExp(`^pushed the image ${cache}@sha256:[0-9a-f]{64}`, 'm'));
    assert.match(stderr, /^starting \/bin\/sh -c .* as dev$/m);
    assert.match(stderr, /^warning: git-lfs keeps the content of large\.bin:/m);
  }
});

test('a Coder server that is down does no harm', async (t) => {
  if (skipped(t)) return;
  const image = await prebuilt('start-coder-down', []);
  // That nothing waits for it, coder-logs.test.ts shows without a clock.
  const coder = { CODER_AGENT_URL: 'http://127.0.0.1:9', CODER_AGENT_TOKEN: 'token' };
  assert.equal(await printed({ image, env: { ...coder, ENVBUILDER_INIT_SCRIPT: 'echo ok' } }), 'ok\n');
});

test('an unsafe place is refused, before anything is deleted', async (t) => {
  if (skipped(t)) return;
  const files = { Dockerfile: `FROM ${base()}\n` };
  const env = { ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile', KANIKO_DIR: '/elsewhere' };
  const { code, stderr } = await containers.run({ files, env });
  assert.equal(code, 15, stderr);
  assert.match(stderr, /KANIKO_DIR is "\/elsewhere"/);
});

/** Options of a start that builds a Dockerfile of the workspace. */
function dockerfile(lines: readonly string[], more: ContainerOptions = {}): ContainerOptions {
  const { files = {}, env = {} } = more;
  return {
    ...more,
    files: { Dockerfile: `FROM ${base()}\n${lines.join('\n')}\n`, ...files },
    env: { ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile', ...env },
  };
}

let repositories = 0;
const newRepository = (): string => {
  repositories += 1;
  return `${containers.services.registry!.host}/start-${process.pid}-${repositories}`;
};

test('a Dockerfile becomes the root file system, with Docker’s default rights', async (t) => {
  if (skipped(t)) return;
  const CACHE = newRepository();
  const options = dockerfile(
    [
      `RUN ${USERS}`,
      'RUN mkdir -p /opt/gone /opt/kept && echo kept > /opt/kept/file && rmdir /opt/gone',
      'FROM scratch AS files',
      'COPY Dockerfile /from-stage',
      `FROM ${base()}`,
      `RUN ${USERS}`,
      'COPY --from=files /from-stage /copied',
      'RUN echo built > /built && chmod 4755 /built',
      'ENV FROM_IMAGE=1',
      'USER dev:audio',
      'WORKDIR /work',
    ],
    {
      env: {
        ENVBUILDER_CACHE_REPO: CACHE,
        ENVBUILDER_INIT_SCRIPT: `id; cat /built; stat -c %a /built; test -s /copied; echo $FROM_IMAGE; pwd; head -n 1 /tmp/report.html; grep -o '"command":"start","outcome":"done"' /tmp/report.json; ls -A /opt 2>&1; ls -A /`,
        ENVBUILDER_EXPORT_ENV_FILE: '/tmp/exported',
        ENVBUILDER_REPORT: '/tmp/report.html,/tmp/report.json',
      },
    },
  );
  const first = await containers.run(options);
  assert.equal(first.code, 0, first.stderr);
  const expected = first.stdout.toString();
  assert.match(expected, /^uid=1000\(dev\) gid=63\(audio\)[^\n]*\nbuilt\n4755\n1\n\/workspaces\/app\n/);
  assert.match(expected, /app\n<!doctype html>\n"command":"start","outcome":"done"\n/);
  assert.match(expected, /^\.envbuilder$/m);
  const second = await containers.run(options);
  assert.equal(second.stdout.toString(), expected, second.stderr);
  assert.match(second.stderr, /CACHED/);
  assert.doesNotMatch(second.stderr, /DONE/);
});

test('a hardened container: only what is needed', async (t) => {
  if (skipped(t)) return;
  const caps = [
    'CHOWN',
    'DAC_OVERRIDE',
    'FOWNER',
    'FSETID',
    'SETGID',
    'SETUID',
    'SYS_CHROOT',
    'KILL',
    'SETFCAP',
  ];
  const { code, stdout, stderr } = await containers.run(
    dockerfile([`RUN ${USERS}`, 'RUN id > /built', 'USER dev'], {
      docker: [
        '--cap-drop=ALL',
        ...caps.map((cap) => `--cap-add=${cap}`),
        '--security-opt=no-new-privileges',
      ],
      env: { ENVBUILDER_INIT_SCRIPT: 'id -un; cat /built' },
    }),
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout.toString(), /^dev\nuid=0/);
});

test('mounts of every kind are left alone', async (t) => {
  if (skipped(t)) return;
  const outside = containers.directory({ 'lib/gpu.so': 'gpu', 'file.conf': 'conf', 'secret/token': 'token' });
  const { code, stdout, stderr } = await containers.run(
    dockerfile(['RUN echo built > /built', 'RUN mkdir -p /usr/lib/gpu /data && echo image > /data/image'], {
      docker: [
        `--volume=${outside}/lib:/usr/lib/gpu:ro`,
        `--volume=${outside}/file.conf:/etc/some/file.conf:ro`,
        `--volume=${outside}/secret:/run/secrets/deep:ro`,
        `--volume=${outside}/lib:/lib/modules:ro`,
        '--volume=/data',
        '--tmpfs=/scratch',
      ],
      env: {
        ENVBUILDER_INIT_SCRIPT:
          'cat /usr/lib/gpu/gpu.so /etc/some/file.conf /run/secrets/deep/token /lib/modules/gpu.so /built; ls -A /data; test -d /scratch; test -s /etc/resolv.conf && echo resolver',
      },
    }),
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout.toString(), /^gpuconftokengpubuilt\n/);
  assert.match(stdout.toString(), /resolver\n$/);
});

test('a socket below /var/run stays where the image has a symlink to /run', async (t) => {
  if (skipped(t)) return;
  const outside = containers.directory({ 'x/y': '' });
  const socket = listenOn().listen(`${outside}/docker.sock`);
  t.after(() => socket.close());
  const { code, stdout, stderr } = await containers.run({
    files: { Dockerfile: `FROM ${base().replace(/busybox:.*/, 'debian:bookworm')}\nRUN echo i > /run/i\n` },
    docker: [`--volume=${outside}/docker.sock:/var/run/docker.sock`],
    env: {
      ENVBUILDER_CACHE_REPO: newRepository(),
      ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile',
      ENVBUILDER_LAYER_CACHE_DIR: '/cache',
      ENVBUILDER_INIT_SCRIPT: 'test -S /var/run/docker.sock && cat /var/run/i /run/i',
    },
  });
  assert.equal(code, 0, stderr);
  assert.equal(stdout.toString(), 'i\ni\n');
  assert.match(stderr, /both a layer cache directory and a cache repository are named/);
});

test('memory does not depend on the size of a layer', async (t) => {
  if (skipped(t)) return;
  const { code, stdout, stderr } = await containers.run(
    dockerfile(['RUN (head -c 600m /dev/urandom; head -c 2472m /dev/zero) > /big'], {
      docker: ['--memory=512m', '--memory-swap=512m'],
      env: { ENVBUILDER_CACHE_REPO: newRepository(), ENVBUILDER_INIT_SCRIPT: 'stat -c %s /big' },
    }),
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout.toString(), '3221225472\n');
});

test('stopped, started again, killed in the middle of a build: the same result', async (t) => {
  if (skipped(t)) return;
  const container = await containers.start(
    dockerfile(
      ['RUN echo a > /a', `RUN if mkdir ${WORKSPACE}/once; then echo building; sleep 1000; fi; echo b > /b`],
      {
        env: {
          ENVBUILDER_INIT_SCRIPT: 'cat /a /b; ls -A / | sort | tr "\\n" " "; echo; echo started; sleep 1000',
        },
      },
    ),
  );
  await container.until(/building$/m);
  await container.docker('kill', '--signal=KILL');
  await container.end();
  await container.docker('start');
  const one = await container.until(/^started$/m);
  await container.docker('stop', '--time=1');
  await container.docker('start');
  const two = await container.until(/^started$[\s\S]*^started$/m);
  const results = two.split('\n').filter((line) => /\.envbuilder .* bin /.test(line));
  assert.equal(results.length, 2, two);
  assert.equal(results[0], results[1]);
  assert.ok(one.includes('a\nb\n'), one);
});

test('a stop while a RUN runs ends it and the container', async (t) => {
  if (skipped(t)) return;
  const container = await containers.start(dockerfile(['RUN echo building; sleep 1000']));
  await container.until(/building$/m);
  await container.docker('stop', STOP_TIME);
  assert.equal(await container.end(), 130, 'docker would have killed it, with 137');
});

test('what an earlier start has built is started when that is asked for', async (t) => {
  if (skipped(t)) return;
  const container = await containers.start(
    dockerfile(['RUN date +%s%N > /when && cat /proc/sys/kernel/random/uuid > /when'], {
      env: { ENVBUILDER_SKIP_REBUILD: '1', ENVBUILDER_INIT_SCRIPT: 'echo made $(cat /when); sleep 1000' },
    }),
  );
  await container.until(/^made /m);
  await container.docker('kill', '--signal=KILL');
  await container.end();
  await container.docker('start');
  const log = await container.until(/^made [\s\S]*^made /m);
  const made = [...log.matchAll(/^made (\S+)/gm)].map(([, id]) => id);
  assert.equal(made[0], made[1]);
  assert.match(log, /nothing is built/);
});

test('a fallback image, and when it is not used', async (t) => {
  if (skipped(t)) return;
  const env = { ENVBUILDER_FALLBACK_IMAGE: base(), ENVBUILDER_INIT_SCRIPT: 'echo fell back' };
  const used = async (options: ContainerOptions): Promise<string> => {
    const { code, stdout, stderr } = await containers.run(options);
    return code === 0 ? stdout.toString().trim() : `${code} ${stderr}`;
  };
  // Under the old names, which the command does not find.
  const old = { FALLBACK_IMAGE: base(), INIT_SCRIPT: 'echo "fell back $FALLBACK_IMAGE$INIT_SCRIPT"' };
  assert.equal(await used({ files: {}, env: old }), 'fell back');
  assert.equal(await used(dockerfile(['RUN exit 3'], { env })), 'fell back');
  assert.equal(await used({ files: {}, env: { ...env, ENVBUILDER_DOCKERFILE_PATH: 'absent' } }), 'fell back');
  const noClone = { ...env, ENVBUILDER_GIT_URL: 'http://127.0.0.1:1/no/repository.git' };
  assert.equal(await used({ env: noClone }), 'fell back');
  const failing = dockerfile(['RUN exit 3'], { env: { ...env, ENVBUILDER_EXIT_ON_BUILD_FAILURE: '1' } });
  assert.match(await used(failing), /^3 /);
  assert.match(await used({ files: {}, env: {} }), /^17 /);
});

test('a dev container: build, hooks, users, the files that options name', async (t) => {
  if (skipped(t)) return;
  const config = {
    build: { dockerfile: 'Dockerfile', args: { WHO: 'dev' } },
    remoteUser: 'dev',
    containerEnv: { A: 'a', PATH: '/opt/bin:$' + '{containerEnv:PATH}' },
    onCreateCommand: 'echo created > /home/dev/created',
    postStartCommand: 'echo post start',
  };
  const options: ContainerOptions = {
    files: {
      '.devcontainer/devcontainer.json': JSON.stringify(config),
      '.devcontainer/Dockerfile': `FROM ${base()}\nARG WHO\nRUN ${USERS}\nRUN echo $WHO > /who\nENV B=b\n`,
    },
    env: {
      ENVBUILDER_EXPORT_ENV_FILE: '/exported',
      ENVBUILDER_POST_START_SCRIPT_PATH: '/post-start',
      ENVBUILDER_INIT_SCRIPT: 'id -un; cat /who ~/created; /post-start; echo $PATH; cat /exported',
    },
  };
  const { code, stdout, stderr } = await containers.run(options);
  assert.equal(code, 0, stderr);
  const path = '/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  assert.equal(
    stdout.toString(),
    [
      'dev',
      'dev',
      'created',
      'post start',
      path,
      'A=a',
      'B=b',
      'DEVCONTAINER=true',
      `DEVCONTAINER_CONFIG=${WORKSPACE}/.devcontainer/devcontainer.json`,
      'ENVBUILDER=true',
      `PATH=${path}`,
      '',
    ].join('\n'),
  );
});

test('a pushed image starts at once, with its user and hooks; the probe names it', async (t) => {
  if (skipped(t)) return;
  const { docker } = containers.services;
  const config = {
    build: { dockerfile: 'Dockerfile' },
    onCreateCommand: 'echo created as $(id -un)',
    containerEnv: { A: 'a' },
  };
  const files = {
    '.devcontainer/devcontainer.json': JSON.stringify(config),
    '.devcontainer/Dockerfile': `FROM ${base()}\nRUN ${USERS}\nUSER dev\nENV B=b\n`,
  };
  const env = {
    ENVBUILDER_CACHE_REPO: newRepository(),
    ENVBUILDER_INIT_SCRIPT: 'id -un; echo $A $B $DEVCONTAINER_CONFIG',
  };
  const probe = () => containers.run({ files, env: { ...env, ENVBUILDER_GET_CACHED_IMAGE: '1' } });
  assert.equal((await probe()).code, 10);
  const told = { ENVBUILDER_SBOM: '1', ENVBUILDER_PROVENANCE: 'min' };
  const pushed = await containers.run({ files, env: { ...env, ...told, ENVBUILDER_PUSH_IMAGE: '1' } });
  assert.equal(pushed.code, 0, pushed.stderr);
  const found = await probe();
  assert.equal(found.code, 0, found.stderr);
  const image = /^ENVBUILDER_CACHED_IMAGE=(\S+)$/m.exec(found.stdout.toString())?.[1];
  assert.ok(image);
  const [repository, digest] = image.split('@') as [string, string];
  const { manifests } = await referrersOf(repositoryAt(repository), digest);
  const statements = manifests.map((one) => statementOf(repositoryAt(repository), one.digest, digest));
  const predicates = (await Promise.all(statements)).map((text) => JSON.parse(text).predicate);
  assert.equal(predicates.length, 2);
  assert.ok(predicates.some(({ buildDefinition }) => buildDefinition));
  // Its own programs lie on top of it.
  const packages = predicates.find((one) => one.packages)?.packages as { name: string }[];
  assert.ok(packages.some(({ name }) => name === 'envbuilder'));
  await run(docker!.command, ['pull', '--quiet', image], { env: docker!.env });
  const started = await containers.run({ image, files, env });
  assert.equal(started.stdout.toString(), pushed.stdout.toString(), started.stderr);
  assert.match(started.stderr, /nothing is built[\s\S]*onCreateCommand: created as dev/);
  const nowhere = await containers.run({ files, env: { ENVBUILDER_PUSH_IMAGE: '1' } });
  assert.equal(nowhere.code, 2);
});

test('what a container had is gone, but for the paths that are to be ignored', async (t) => {
  if (skipped(t)) return;
  const { docker } = containers.services;
  const had = containers.directory({
    Dockerfile: 'FROM envbuilder-runtime:test\nCOPY . /kept/\nCOPY . /gone/\n',
  });
  const args = ['build', '--quiet', '--network=host', '--tag=start-ignore', had];
  await run(docker!.command, args, { env: docker!.env });
  const { code, stdout, stderr } = await containers.run(
    dockerfile(['RUN mkdir -p /kept && echo image > /kept/image'], {
      image: 'start-ignore',
      env: { ENVBUILDER_IGNORE_PATHS: '/kept', ENVBUILDER_INIT_SCRIPT: 'ls -A /kept; ls -d /gone /bin' },
    }),
  );
  assert.match(stderr, /ls: \/gone: No such file/);
  assert.equal(code, 1, stderr);
  assert.match(stdout.toString(), /^Dockerfile\n/);
  assert.match(stdout.toString(), /\/bin\n$/);
});

test('FORCE_SAFE counts down, and then does it', async (t) => {
  if (skipped(t)) return;
  const { code, stdout, stderr } = await containers.run(
    dockerfile(['RUN echo built > /built'], {
      env: { KANIKO_DIR: '/elsewhere', ENVBUILDER_FORCE_SAFE: '1', ENVBUILDER_INIT_SCRIPT: 'cat /built' },
    }),
  );
  assert.equal(code, 0, stderr);
  assert.match(stderr, /about to be deleted[\s\S]*10 seconds[\s\S]* 1 second left/);
  assert.equal(stdout.toString(), 'built\n');
});

test('a remote repository build does not see the workspace, and its probe needs none', async (t) => {
  if (skipped(t)) return;
  const url = await makeRepository(containers.services, `start-remote-${process.pid}`, {
    '.devcontainer.json': JSON.stringify({ build: { dockerfile: 'Dockerfile' } }),
    Dockerfile: `FROM ${base()}\nRUN echo remote > /built\n`,
  });
  const env = {
    ENVBUILDER_GIT_URL: url,
    ENVBUILDER_REMOTE_REPO_BUILD_MODE: 'true',
    ENVBUILDER_CACHE_REPO: newRepository(),
    ENVBUILDER_INIT_SCRIPT: 'cat /built Dockerfile; echo $DEVCONTAINER_CONFIG; ls /.envbuilder',
  };
  // The user's own file stays where the repository has another one.
  const files = { Dockerfile: 'changed by the user\n' };
  const { code, stdout, stderr } = await containers.run({
    files,
    env: { ...env, ENVBUILDER_PUSH_IMAGE: '1' },
  });
  assert.equal(code, 0, stderr);
  assert.match(
    stdout.toString(),
    new RegExp(`^remote\\nchanged by the user\\n${WORKSPACE}/\\.devcontainer\\.json\\n`),
  );
  const probe = await containers.run({ env: { ...env, ENVBUILDER_GET_CACHED_IMAGE: '1' } });
  assert.equal(probe.code, 0, probe.stderr);
  assert.match(probe.stdout.toString(), /^ENVBUILDER_CACHED_IMAGE=.*@sha256:[0-9a-f]{64}\n$/);
});
