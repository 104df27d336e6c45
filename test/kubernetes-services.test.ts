import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort } from '../src/core/testing.ts';
import { createRepository } from '../src/workspace/testing.ts';
import { useContainers } from './support/container.ts';
import { databaseImage, POSTGRES } from './support/database-image.ts';
import { startGitHttpServer } from './support/git-http-server.ts';
import { asDocker, podOf } from './support/pod.ts';

const containers = useContainers();

/** The files of a repository whose hook asks a database and a cache by their names. */
function project(image: string, [db, cache]: readonly [number, number]): Readonly<Record<string, string>> {
  return {
    '.devcontainer/devcontainer.json': JSON.stringify({
      dockerComposeFile: 'compose.yml',
      service: 'app',
      workspaceFolder: '/workspaces/app',
      postCreateCommand: `for at in db:${db}/schema/table db:${db}/data/row cache:${cache}/entry; do wget -qO- http://$at; done >out`,
    }),
    '.devcontainer/compose.yml': `
services:
  app:
    image: ${image}
    command: sleep infinity
    volumes: ["..:/workspaces/app"]
    depends_on: { db: { condition: service_healthy }, cache: { condition: service_started } }
  seed: { image: "${image}", command: [sh, -c, "echo row of the volume >/data/row"], volumes: ["data:/data"] }
  db:
    image: ${image}
    entrypoint: [httpd]
    command: -f -p ${db} -h /srv
    depends_on: { seed: { condition: service_completed_successfully } }
    volumes: ["data:/srv/data:ro", "../schema:/srv/schema:ro"]
    healthcheck: { test: "wget -qO- http://localhost:${db}/schema/table", interval: 1s }
  cache:
    image: ${image}
    command: [sh, -c, "echo $$WHAT >/c/entry; exec httpd -f -p ${cache} -h /c"]
    environment: { WHAT: cached }
    tmpfs: /c
volumes: { data: }
`,
    'schema/table': 'table of the repository\n',
  };
}

/** The same with PostgreSQL and Redis, which are asked in their own protocols. */
function application(
  image: string,
  database: string,
  [db, cache]: readonly [number, number],
): Readonly<Record<string, string>> {
  // A request for TLS is answered by N without it, and what is behind it is no packet, so that the server hangs up.
  const asks = [
    `printf '\\0\\0\\0\\10\\4\\322\\26\\57X\\0\\0\\0\\4' | busybox nc db ${db} | head -c 1`,
    `printf 'PING\\r\\nQUIT\\r\\n' | busybox nc cache ${cache}`,
  ];
  const healthcheck = (test: string): object => ({ test, interval: '1s', retries: 600 });
  return {
    '.devcontainer/devcontainer.json': JSON.stringify({
      dockerComposeFile: 'compose.yml',
      service: 'app',
      workspaceFolder: '/workspaces/app',
      postCreateCommand: `(${asks.join('; ')}) >out`,
    }),
    '.devcontainer/compose.yml': JSON.stringify({
      services: {
        app: { image, volumes: ['..:/workspaces/app'], depends_on: { db: HEALTHY, cache: HEALTHY } },
        db: {
          image: database,
          user: '999:999',
          command: [...POSTGRES, String(db)],
          healthcheck: healthcheck(`pg_isready -h 127.0.0.1 -p ${db}`),
        },
        cache: {
          image: database,
          command: ['redis-server', '--port', String(cache), '--save', ''],
          healthcheck: healthcheck(`redis-cli -p ${cache} ping`),
        },
      },
    }),
  };
}

const HEALTHY = { condition: 'service_healthy' };

/** Runs the pod of a repository as a kubelet does: one container behind another, sidecars until their startup probes succeed. */
async function runPod(
  t: TestContext,
  files: Readonly<Record<string, string>>,
): Promise<{ readonly out: string; readonly stderr: string }> {
  const { host } = containers.services.registry!;
  const repos = containers.directory({});
  const app = createRepository(join(repos, 'app.git'));
  app.commit(files);
  const git = await startGitHttpServer({ root: repos });
  t.after(() => git.stop());
  const pod = await podOf(
    'workspace',
    `--repository=${git.origin}/app.git`,
    `--compose=${app.path}`,
    `--registry=${host}`,
    '--unsigned',
  );
  const volumes = Object.fromEntries((pod.volumes ?? []).map(({ name }) => [name, containers.directory({})]));
  for (const container of pod.initContainers ?? []) {
    const { flags, args } = asDocker(pod, { volumes }, container);
    const own = container.name === 'clone' ? {} : { image: container.image! };
    if (container.restartPolicy !== 'Always') {
      const { code, stderr } = await containers.run({ ...own, docker: flags, args });
      assert.equal(code, 0, `${container.name}: ${stderr}`);
      continue;
    }
    const sidecar = await containers.start({ ...own, docker: flags, args });
    const { command } = container.startupProbe?.exec ?? {};
    if (command === undefined) continue;
    while ((await containers.docker(['exec', sidecar.name, ...command])).code !== 0)
      await new Promise(setImmediate);
  }
  const { flags } = asDocker(pod, { volumes });
  const { code, stdout, stderr } = await containers.run({
    docker: [...flags, '--env=ENVBUILDER_INIT_SCRIPT=cat /workspaces/app/out'],
  });
  assert.equal(code, 0, stderr);
  return { out: stdout.toString(), stderr };
}

test('hooks of a workspace reach the services of its pod by their names', async (t) => {
  if (containers.missing !== undefined) return t.skip(containers.missing);
  const { host } = containers.services.registry!;
  const files = project(`${host}/busybox:1`, [await freePort(), await freePort()]);
  const { out, stderr } = await runPod(t, files);
  assert.equal(out, 'table of the repository\nrow of the volume\ncached\n', stderr);
  assert.match(stderr, /there is a clone in \/workspaces\/app already/);
  assert.doesNotMatch(stderr, /services: /, 'services that are there are no warning');
});

test('a hook reaches PostgreSQL and Redis of Debian in a pod', async (t) => {
  if (containers.missing !== undefined) return t.skip(containers.missing);
  const { host } = containers.services.registry!;
  const database = await databaseImage(host);
  const files = application(`${host}/busybox:1`, database, [await freePort(), await freePort()]);
  const { out, stderr } = await runPod(t, files);
  assert.equal(out, 'N+PONG\r\n+OK\r\n', stderr);
});
