/* The services of a Compose project beside a dev container, run without an engine: by root, and by an ordinary user. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { capture, run } from '../scripts/lib/shell.ts';
import { freePort, until } from '../src/core/testing.ts';
import { databaseImage, POSTGRES, POSTGRES_DATA } from './support/database-image.ts';
import { type CliResult, commandLine, envbuilder, projectRoot } from './support/envbuilder.ts';
import { useEnvironment } from './support/environment.ts';
import { noNamespaces } from './support/user-namespaces.ts';

const environment = useEnvironment(['registry']);
const dir = temporaryDir('up-services');
const login = `envs${process.pid}`;
const home = join(dir, 'home');
const ENV = { HOME: join(dir, 'root'), ENVBUILDER_CONTAINERS_DIR: join(dir, 'containers') };

before(async () => {
  await ensurePackages(['uidmap', 'passwd', 'util-linux']);
  chmodSync(dir, 0o755);
});

after(async () => {
  await eb(['down', '--all']);
  await capture('userdel', ['--remove', '--force', login]);
  await rm(dir, { recursive: true, force: true });
});

function eb(args: readonly string[], options: Parameters<typeof envbuilder>[1] = {}): Promise<CliResult> {
  return envbuilder(args, { ...options, env: { ...ENV, ...options.env } });
}

/** A folder with these files, objects as JSON; IMAGE stands for busybox. */
function folder(name: string, files: Readonly<Record<string, object | string>>, above = dir): string {
  for (const [path, content] of Object.entries(files)) {
    const file = join(above, name, path);
    mkdirSync(dirname(file), { recursive: true });
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(file, text.replaceAll('IMAGE', `${environment.services.registry!.host}/busybox:1`));
  }
  return join(above, name);
}

interface Listed {
  readonly name: string;
  readonly status: string;
  readonly pid?: number;
  readonly log: string;
}

async function services(): Promise<Readonly<Record<string, Listed>>> {
  const { stdout, output, code } = await eb(['list', '--output=json']);
  assert.equal(code, 0, output);
  const [container] = JSON.parse(stdout) as { services?: Listed[] }[];
  return Object.fromEntries((container?.services ?? []).map((one) => [one.name, one]));
}

/** Ends when it is told to by SIGINT, and writes down that it was. */
const asked = (name: string, first: string): string =>
  `trap 'sleep 0.5; echo ${name} >>/workspace/ended; exit' INT; ${first}; while :; do sleep 1000 & wait $!; done`;

test('services stand beside the dev container: conditions, names, volumes, secrets, restarts, the order of ends', async () => {
  const [db, cache] = [await freePort(), await freePort()];
  const compose = {
    services: {
      app: {
        image: 'IMAGE',
        command: 'sleep infinity',
        volumes: ['..:/workspaces/beside', 'data:/data'],
        depends_on: { db: { condition: 'service_healthy' }, cache: { condition: 'service_started' } },
        secrets: ['token'],
      },
      seed: {
        image: 'IMAGE',
        command: ['sh', '-c', 'echo row of the volume >/data/row; echo seeded'],
        volumes: ['data:/data'],
      },
      db: {
        build: {
          dockerfile_inline: `FROM IMAGE
RUN echo pg:x:70:70::/:/bin/sh >>/etc/passwd && mkdir -p /srv && echo built >/srv/built
HEALTHCHECK --interval=1s --retries=600 CMD wget -qO- http://localhost:${db}/data/row
USER pg
`,
        },
        entrypoint: ['sh', '-c', asked('db', `httpd -p ${db} -h /srv`)],
        stop_signal: 'SIGINT',
        stop_grace_period: '1m',
        depends_on: { seed: { condition: 'service_completed_successfully' } },
        volumes: ['data:/srv/data:ro', '../schema:/srv/schema:ro', '..:/workspace'],
        networks: { default: { aliases: ['postgres'] } },
      },
      cache: {
        image: 'IMAGE',
        command: [
          'sh',
          '-c',
          asked('cache', `echo $$WHAT $$(cat /run/secrets/token) >/c/entry; httpd -p ${cache} -h /c`),
        ],
        environment: { WHAT: 'cached' },
        tmpfs: '/c',
        restart: 'always',
        stop_signal: 'INT',
        stop_grace_period: '1m',
        depends_on: ['db'],
        volumes: ['..:/workspace', `${dir}:/outside`],
        secrets: ['token'],
        init: true,
      },
      left: { image: 'IMAGE', profiles: ['other'] },
    },
    volumes: { data: {} },
    secrets: { token: { environment: 'TOKEN' } },
    networks: { default: {} },
  };
  const at = (name: string, path: string): string => `wget -qO- http://${name}:${path}`;
  const hook = [
    at('db', `${db}/schema/table`),
    at('postgres', `${db}/data/row`),
    at('db', `${db}/built`),
    `until ${at('cache', `${cache}/entry`)}; do sleep 0.1; done`,
    'cat /data/row /run/secrets/token',
  ].join(' && ');
  const path = folder('beside', {
    '.devcontainer/devcontainer.json': {
      dockerComposeFile: 'compose.yml',
      service: 'app',
      workspaceFolder: '/workspaces/beside',
      postStartCommand: `(${hook}) >out`,
    },
    '.devcontainer/compose.yml': compose,
    'schema/table': 'table of the repository\n',
  });
  chmodSync(path, 0o777);
  const env = { TOKEN: 'canary-token' };
  const made = await eb(['up', path], { env });
  assert.equal(made.code, 0, made.output);
  assert.equal(
    readFileSync(join(path, 'out'), 'utf8'),
    'table of the repository\nrow of the volume\nbuilt\ncached canary-token\nrow of the volume\ncanary-token',
  );
  assert.match(
    made.stderr,
    /volumes: .*:\/outside \(service cache\) is not held here: it lies outside .*--allow-outside/,
  );
  assert.match(made.stderr, /the service db listens on port \d+ of all addresses of this machine/);
  const first = await services();
  assert.deepEqual(
    Object.values(first).map(({ name, status }) => [name, status]),
    [
      ['cache', 'running'],
      ['db', 'running'],
      ['seed', 'exited (0)'],
    ],
  );
  assert.equal(readFileSync(first.seed!.log, 'utf8'), 'seeded\n');
  const exec = (...args: string[]): Promise<CliResult> => eb(['exec', '--workspace-folder', path, ...args]);
  const inside = await exec('--service=db', 'sh', '-c', 'id -u; hostname; cat /srv/data/row; exit 5');
  assert.deepEqual([inside.code, inside.stdout], [5, '70\ndb\nrow of the volume\n'], inside.output);
  const init = await exec('--service=cache', 'sh', '-c', "tr '\\0' ' ' </proc/1/cmdline");
  assert.match(init.stdout, /^\/bin\/sh -c got=''/, init.output);
  const kept = await capture('grep', ['-rl', env.TOKEN, ENV.ENVBUILDER_CONTAINERS_DIR]);
  assert.equal(String(kept.stdout), '');

  // Its loop starts one again, the next up the other one.
  process.kill(first.cache!.pid!, 'SIGKILL');
  process.kill(first.db!.pid!, 'SIGKILL');
  await until('the cache is started again', async () => {
    const { pid } = (await services()).cache!;
    return pid !== undefined && pid !== first.cache!.pid;
  });
  const between = await services();
  // What unshare says of SIGKILL depends on its release.
  assert.match(between.db!.status, /^exited \((?:1|137)\)$/);
  assert.match((await exec('--service=db', 'true')).stderr, /the service db does not run/);
  compose.services.cache.environment.WHAT = 'changed';
  Object.assign(compose.services.cache, { networks: { default: { aliases: ['kv'] } } });
  folder('beside', { '.devcontainer/compose.yml': compose });
  const again = await eb(['up', path], { env });
  assert.equal(again.code, 0, again.output);
  assert.match(again.stderr, /the service cache is made anew: it has changed/);
  assert.doesNotMatch(again.stderr, /the service (db|seed) is made|service seed is started/);
  const second = await services();
  assert.equal(second.db!.status, 'running');
  assert.notEqual(second.cache!.pid, between.cache!.pid);
  const entry = await exec('sh', '-c', `until ${at('kv', `${cache}/entry`)}; do sleep 0.1; done`);
  assert.equal(entry.stdout, 'changed canary-token\n', entry.output);
  writeFileSync(join(path, 'ended'), '');
  chmodSync(join(path, 'ended'), 0o666);

  const down = await eb(['down', path]);
  assert.equal(down.code, 0, down.output);
  // Whoever depends on another one ends before it.
  assert.equal(readFileSync(join(path, 'ended'), 'utf8'), 'cache\ndb\n');
  const volumes = readdirSync(join(ENV.ENVBUILDER_CONTAINERS_DIR, 'volumes'));
  assert.match(volumes.join(), /^beside-[0-9a-f]{8}_data$/);
  assert.deepEqual(readdirSync(join(ENV.ENVBUILDER_CONTAINERS_DIR, 'containers')), []);
});

test('what cannot be is an error that says which service, and the next up goes on', async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: taken } = server.address() as { port: number };
  const done = { condition: 'service_completed_successfully' };
  const healthy = { condition: 'service_healthy' };
  const httpd = { image: 'IMAGE', command: ['httpd', '-f', '-p', String(port)] };
  const looked = { test: `wget -qO- localhost:${port}/bin/sh | grep -q .`, interval: '1s', retries: 600 };
  const web = { ...httpd, command: [...httpd.command, '-h', '/'], healthcheck: looked };
  const rows: readonly (readonly [object, object, RegExp])[] = [
    [
      { a: { ...web, ports: ['7001:80'] }, b: { ...web, expose: ['80'] } },
      {},
      /the services a and b both listen on port 80/,
    ],
    [
      { a: web, b: { ...httpd, depends_on: { a: healthy } } },
      { b: done },
      /the services a and b both listen on port \d+/,
    ],
    [
      { a: { ...web, expose: [taken] } },
      {},
      /port \d+, which the service a listens on, is taken on this machine by /,
    ],
    [
      { a: { ...web, healthcheck: { test: 'echo sick; exit 1', interval: '0.1s', retries: 2 } } },
      { a: healthy },
      /the service a, which app waits for, is not healthy: sick/,
    ],
    [
      { a: { image: 'IMAGE', command: ['sh', '-c', 'echo boom; exit 3'] } },
      { a: done },
      /a, which app waits for .*has ended with code 3: boom/,
    ],
    [{ a: { image: 'IMAGE', command: ['/nothing'] } }, {}, /the service a cannot be started: .*\/nothing/],
  ];
  const write = (services: object, needed: object): string =>
    folder('wrong', {
      '.devcontainer/devcontainer.json': {
        dockerComposeFile: 'compose.yml',
        service: 'app',
        workspaceFolder: '/',
      },
      '.devcontainer/compose.yml': { services: { app: { image: 'IMAGE', depends_on: needed }, ...services } },
    });
  for (const [services, needed, message] of rows) {
    const answer = await eb(['up', write(services, needed)]);
    assert.equal(answer.code, 1, answer.output);
    assert.match(answer.stderr, message);
  }
  server.close();
  const path = write({ a: { ...web, stop_grace_period: '100ms' } }, { a: healthy });
  const good = await eb(['up', path]);
  assert.equal(good.code, 0, good.output);
  assert.doesNotMatch(good.stderr, /service (?:a|b) has ended/);
  assert.equal((await eb(['down', path])).code, 0);
});

test('an up that is killed while it waits for a service leaves nothing that down does not end', async () => {
  const mark = `sleep ${300_000 + process.pid}`;
  const path = folder('killed', {
    '.devcontainer/devcontainer.json': {
      dockerComposeFile: 'compose.yml',
      service: 'app',
      workspaceFolder: '/',
    },
    '.devcontainer/compose.yml': {
      services: {
        app: { image: 'IMAGE', depends_on: { a: { condition: 'service_healthy' } } },
        a: {
          image: 'IMAGE',
          command: ['sh', '-c', mark],
          restart: 'always',
          stop_grace_period: '100ms',
          healthcheck: { test: 'false', interval: '1h' },
        },
      },
    },
  });
  const child = spawn(commandLine, ['up', path], {
    env: { PATH: process.env.PATH, ...ENV },
    stdio: 'ignore',
    detached: true,
  });
  const running = async (): Promise<string> =>
    String((await capture('pgrep', ['--full', '--', mark])).stdout);
  await until('the service runs', async () => (await running()) !== '');
  process.kill(-child.pid!, 'SIGKILL');
  await until('the lock is free', async () => (await eb(['down', path])).code === 0);
  assert.equal(await running(), '');
  assert.deepEqual(readdirSync(join(ENV.ENVBUILDER_CONTAINERS_DIR, 'containers')), []);
});

const healthcheck = (...test: string[]): object => ({ test: ['CMD', ...test], interval: '1s', retries: 600 });

/** A project with a database and perhaps a cache, and a hook that asks them. */
async function application(above: string, image: string, withCache: boolean): Promise<string> {
  const [db, cache] = [await freePort(), await freePort()];
  const redis = ['redis-server', '--save', ''];
  const services = {
    db: {
      image,
      user: 'postgres',
      command: [...POSTGRES, String(db)],
      stop_signal: 'SIGINT',
      volumes: [`data:${POSTGRES_DATA}`],
      healthcheck: healthcheck('pg_isready', '-h', '127.0.0.1', '-p', String(db)),
    },
    cache: {
      build: { dockerfile_inline: `FROM ${image}\nENTRYPOINT ${JSON.stringify(redis)}\n` },
      command: ['--port', String(cache)],
      healthcheck: healthcheck('redis-cli', '-p', String(cache), 'ping'),
    },
  };
  const chosen = withCache ? services : { db: services.db };
  const query = `psql -h db -p ${db} -Atc "select 6 * 7"`;
  // Without a client: a request for TLS is answered by N, and what is behind it is no packet, so that the server hangs up.
  const ask = `printf '\\0\\0\\0\\10\\4\\322\\26\\57X\\0\\0\\0\\4' | busybox nc db ${db} | head -c 1`;
  const hook = withCache ? `${query} && redis-cli -h cache -p ${cache} ping` : ask;
  return folder(
    'application',
    {
      '.devcontainer/devcontainer.json': {
        dockerComposeFile: 'compose.yml',
        service: 'app',
        workspaceFolder: '/workspaces/application',
        postCreateCommand: `(${hook}) >out`,
      },
      '.devcontainer/compose.yml': {
        services: {
          app: {
            image: withCache ? image : 'IMAGE',
            volumes: ['..:/workspaces/application'],
            network_mode: 'service:db',
            depends_on: Object.fromEntries(
              Object.keys(chosen).map((name) => [name, { condition: 'service_healthy' }]),
            ),
          },
          ...chosen,
        },
        volumes: { data: {} },
      },
    },
    above,
  );
}

test('a hook reaches PostgreSQL and Redis of Debian by their names, for root and for an ordinary user', async (t) => {
  const image = await databaseImage(environment.services.registry!.host);
  const path = await application(dir, image, true);
  const made = await eb(['up', path]);
  assert.equal(made.code, 0, made.output);
  assert.equal(readFileSync(join(path, 'out'), 'utf8'), '42\nPONG\n');
  const down = await eb(['down', path]);
  assert.equal(down.code, 0, down.output);

  await run('useradd', ['--create-home', '--home-dir', home, login]);
  if (await noNamespaces(t, login)) return;
  const mine = await application(home, image, false);
  await run('chown', ['-R', login, home]);
  const program = join(dir, 'program');
  mkdirSync(program);
  for (const part of ['src', 'scripts', 'package.json', 'package-lock.json', 'node_modules', 'envbuilder'])
    cpSync(join(projectRoot, part), join(program, part), { recursive: true, verbatimSymlinks: true });
  const own = async (...args: string[]): Promise<CliResult> => {
    const { code, stdout, stderr } = await capture('setpriv', [
      ...[`--reuid=${login}`, `--regid=${login}`, '--init-groups', '--inh-caps=-all', '--', 'env', '-i'],
      ...[`HOME=${home}`, 'PATH=/usr/local/bin:/usr/bin:/bin', 'NO_COLOR=1'],
      ...[join(program, 'envbuilder'), ...args],
    ]);
    return { code, stdout: String(stdout), stderr, output: `${stdout}\n${stderr}` };
  };
  t.after(() => own('down', '--all'));
  const users = await own('up', mine);
  assert.equal(users.code, 0, users.output);
  assert.equal(readFileSync(join(mine, 'out'), 'utf8'), 'N');
  const { stdout } = await own('exec', '--workspace-folder', mine, '--service=db', 'id', '-un');
  assert.equal(stdout, 'postgres\n');
  const ended = await own('down', mine);
  assert.equal(ended.code, 0, ended.output);
});
