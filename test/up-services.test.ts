/* The services of a Compose project beside a dev container, run without an engine: by root, and by an ordinary user. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { capture } from '../scripts/lib/shell.ts';
import { freePort, until } from '../src/core/testing.ts';
import { type CliResult, envbuilder } from './support/envbuilder.ts';
import { useEnvironment } from './support/environment.ts';

const environment = useEnvironment(['registry']);
const dir = temporaryDir('up-services');
const ENV = { HOME: join(dir, 'root'), ENVBUILDER_CONTAINERS_DIR: join(dir, 'containers') };

after(async () => {
  await eb(['down', '--all']);
  await rm(dir, { recursive: true, force: true });
});

function eb(args: readonly string[], options: Parameters<typeof envbuilder>[1] = {}): Promise<CliResult> {
  return envbuilder(args, { ...options, env: { ...ENV, ...options.env } });
}

/** A folder with these files, objects as JSON; IMAGE stands for busybox. */
function folder(name: string, files: Readonly<Record<string, object | string>>): string {
  for (const [path, content] of Object.entries(files)) {
    const file = join(dir, name, path);
    mkdirSync(dirname(file), { recursive: true });
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(file, text.replaceAll('IMAGE', `${environment.services.registry!.host}/busybox:1`));
  }
  return join(dir, name);
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
  assert.match(made.stderr, /init \(service cache\) is not held here/);
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
  folder('beside', { '.devcontainer/compose.yml': compose });
  const again = await eb(['up', path], { env });
  assert.equal(again.code, 0, again.output);
  assert.match(again.stderr, /the service cache is made anew: it has changed/);
  assert.doesNotMatch(again.stderr, /the service (db|seed) is made|service seed is started/);
  const second = await services();
  assert.equal(second.db!.status, 'running');
  assert.notEqual(second.cache!.pid, between.cache!.pid);
  const entry = await exec('sh', '-c', `until ${at('cache', `${cache}/entry`)}; do sleep 0.1; done`);
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
