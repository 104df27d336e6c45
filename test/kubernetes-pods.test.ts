import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { parseAllDocuments } from 'yaml';
import { freePort } from '../src/core/testing.ts';
import { createRepository } from '../src/workspace/testing.ts';
import { useContainers } from './support/container.ts';
import { envbuilder } from './support/envbuilder.ts';
import { startGitHttpServer } from './support/git-http-server.ts';
import { asDocker, podOf } from './support/pod.ts';

const containers = useContainers();

const PASSWORD = 'pw-of-the-cluster';
const GIT_PASSWORD = 'pw-of-the-git-server';

test('registry, warmer, prebuild and workspace run with the rights that the manifests give them', async (t) => {
  if (containers.missing !== undefined) return t.skip(containers.missing);
  const base = `${containers.services.registry!.host}/busybox:1`;
  const port = await freePort();
  const name = `envbuilder-registry:${port}`;
  const withPort = (texts: readonly string[]) =>
    texts.map((text) => text.replace(/:5000\b/, `:${port}`).replace(/:9090\b/, ':0'));
  const hosts = ['--add-host=envbuilder-registry:127.0.0.1'];
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const login = (username: string): string =>
    base64(JSON.stringify({ auths: { [name]: { username, password: PASSWORD } } }));
  const users = ['prebuild', 'workspace'].map((user) => `${user}:${hashSync(PASSWORD, 4)}\n`).join('');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const signingKey = base64(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  const volumes = {
    registry: containers.directory({}),
    users: containers.directory({ htpasswd: users, rights: await rightsOfThePage() }),
    'base-images': containers.directory({}),
  };

  const registry = asDocker(await podOf('registry'), { volumes });
  const server = await containers.start({ docker: [...registry.flags], args: withPort(registry.args) });
  await server.until(/^http:\S+:\d+\n/m);

  const warmer = asDocker(await podOf('warm-now', `--image=${base}`), { volumes });
  const warmed = await containers.run({ docker: warmer.flags, args: warmer.args });
  assert.equal(warmed.code, 0, warmed.stderr);
  assert.ok(readdirSync(volumes['base-images']).some((file) => file.startsWith('sha256:')));

  const repos = containers.directory({});
  const sub = createRepository(join(repos, 'sub.git'));
  const commit = sub.commit({ inner: 'inner\n' });
  const app = createRepository(join(repos, 'app.git'));
  writeFileSync(join(app.path, '.gitmodules'), '[submodule "sub"]\n\tpath = sub\n\turl = ../sub.git\n');
  app.git('update-index', '--add', '--cacheinfo', `160000,${commit},sub`);
  app.git('add', '.gitmodules');
  app.git('commit', '-q', '-m', 'submodule');
  // What a RUN can get hold of is in the layer that it makes.
  const look =
    'cat /proc/*/environ /proc/*/cmdline 2>/dev/null; env; find / -xdev -type f -exec grep -s -e p[w]-of -e eyJhdX[R]oc {} +';
  writeFileSync(
    join(app.path, 'Dockerfile'),
    `FROM ${base}\nRUN cat /proc/sys/kernel/random/uuid > /built\nRUN (${look}) > /seen; true\n`,
  );
  app.git('add', 'Dockerfile');
  app.git('commit', '-q', '-m', 'Dockerfile');
  const git = await startGitHttpServer({ root: repos, login: { user: 'ada', password: GIT_PASSWORD } });
  t.after(() => git.stop());
  const secrets = {
    'envbuilder-git/username': 'ada',
    'envbuilder-git/password': GIT_PASSWORD,
    'envbuilder-registry-pull/config': login('workspace'),
    'envbuilder-registry-push/config': login('prebuild'),
    'envbuilder-signing-key/key': signingKey,
    'envbuilder-trusted-keys/trusted': base64(String(publicKey.export({ type: 'spki', format: 'pem' }))),
  };
  const run = async (part: string, init?: string, more: Readonly<Record<string, string>> = {}) => {
    const pod = await podOf(part, `--repository=${git.origin}/app.git`);
    const { flags } = asDocker(pod, {
      volumes: { ...volumes, workspaces: containers.directory({}) },
      secrets: { ...secrets, ...more },
    });
    const own = {
      ENVBUILDER_WORKSPACE_FOLDER: '/workspaces/app',
      ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile',
      ...(init === undefined ? {} : { ENVBUILDER_INIT_SCRIPT: init }),
    };
    const env = Object.entries(own).map(([variable, value]) => `--env=${variable}=${value}`);
    return { docker: [...withPort(flags), ...hosts, ...env] };
  };
  const prebuilt = await containers.run(await run('prebuild'));
  assert.equal(prebuilt.code, 0, prebuilt.stderr);
  const script =
    'cat /built; cat /workspaces/app/sub/inner; env; cat /seen; find / -xdev -type f -exec grep -s -e p[w]-of -e eyJhdX[R]oc {} +; grep -r p[w]-of /workspaces || echo none';
  const start = async (): Promise<readonly string[]> => {
    const { code, stdout, stderr } = await containers.run(await run('workspace', script));
    assert.equal(code, 0, stderr);
    for (const secret of ['pw-of', signingKey, login('workspace'), login('prebuild')])
      assert.ok(!(stdout.toString() + stderr).includes(secret), `${secret.slice(0, 6)} is seen`);
    const lines = stdout.toString().trim().split('\n');
    assert.deepEqual([lines[1], lines.at(-1)], ['inner', 'none'], stderr);
    return lines;
  };
  const [first, again] = [await start(), await start()];
  assert.match(first[0]!, /^[0-9a-f-]{36}$/);
  assert.equal(again[0], first[0], 'the second workspace takes its layer from the registry');

  // As it is in the manifest: told when it is ready, and gone at once when it is to end.
  const workspace = await containers.start(await run('workspace'));
  await workspace.until(/starting /);
  const { startupProbe } = (await podOf('workspace')).containers[0]!;
  const probe = ['exec', workspace.name, ...(startupProbe?.exec?.command ?? [])];
  while ((await containers.docker(probe)).code !== 0) await new Promise(setImmediate);
  await workspace.docker('stop', '--time=600');
  assert.equal(await workspace.end(), 0, 'it ends by itself, and is not killed');
  await server.docker('stop', '--time=50');
  assert.equal(await server.end(), 0);
});

/** The rights that the Secret has which is printed. */
async function rightsOfThePage(): Promise<string> {
  const { stdout } = await envbuilder(['k8s', 'secrets']);
  const data = parseAllDocuments(stdout).map(
    (document) => (document.toJS() as { stringData?: { rights?: string } }).stringData?.rights,
  );
  return data.find((rights) => rights !== undefined) ?? assert.fail('no rights are printed');
}
