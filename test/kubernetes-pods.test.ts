import assert from 'node:assert/strict';
import { chmodSync, chownSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { parseAllDocuments } from 'yaml';
import { freePort } from '../src/core/testing.ts';
import type { Container as ContainerSpec, PodSpec } from '../src/kubernetes/types.ts';
import { createRepository } from '../src/workspace/testing.ts';
import { useContainers } from './support/container.ts';
import { envbuilder } from './support/envbuilder.ts';
import { startGitHttpServer } from './support/git-http-server.ts';

const containers = useContainers();

const PASSWORD = 'pw-of-the-cluster';
const GIT_PASSWORD = 'pw-of-the-git-server';

interface PodRun {
  readonly args: readonly string[];
  readonly flags: readonly string[];
}

/** The pod that a part of the manifests starts. */
async function podOf(part: string, ...args: readonly string[]): Promise<PodSpec> {
  const { code, stdout, stderr } = await envbuilder(['k8s', part, ...args]);
  assert.equal(code, 0, stderr);
  for (const document of parseAllDocuments(stdout)) {
    const object = document.toJS() as { kind: string; spec: PodSpec & { template?: { spec: PodSpec } } };
    if (object.kind === 'Pod') return object.spec;
    if (object.spec?.template) return object.spec.template.spec;
  }
  throw new Error(`${part} has no pod`);
}

/** What of a pod Docker can do as a kubelet does: users, rights, limits, variables, volumes. */
function asDocker(
  pod: PodSpec,
  {
    volumes,
    secrets = {},
  }: {
    readonly volumes: Readonly<Record<string, string>>;
    readonly secrets?: Readonly<Record<string, string>>;
  },
): PodRun {
  const container: ContainerSpec = pod.containers[0]!;
  const { securityContext: context = {}, resources } = container;
  const user = context.runAsUser ?? pod.securityContext?.runAsUser;
  const group = pod.securityContext?.fsGroup;
  for (const directory of Object.values(volumes)) {
    if (group === undefined) continue;
    chownSync(directory, 0, group);
    chmodSync(directory, 0o2775);
  }
  const env = (container.env ?? []).flatMap(({ name, value, valueFrom }) => {
    const text = value ?? secrets[`${valueFrom?.secretKeyRef?.name}/${valueFrom?.secretKeyRef?.key}`];
    return text === undefined ? [] : [`--env=${name}=${text}`];
  });
  return {
    args: container.args ?? [],
    flags: [
      ...(user === undefined ? [] : [`--user=${user}:${pod.securityContext?.runAsGroup ?? user}`]),
      ...(context.readOnlyRootFilesystem ? ['--read-only'] : []),
      ...(context.allowPrivilegeEscalation === false ? ['--security-opt=no-new-privileges'] : []),
      ...(context.capabilities?.drop ?? []).map((name) => `--cap-drop=${name}`),
      ...(context.capabilities?.add ?? []).map((name) => `--cap-add=${name}`),
      `--memory=${String(resources?.limits?.memory).replace(/i$/, '').toLowerCase()}`,
      ...env,
      ...(container.volumeMounts ?? []).map(
        ({ name, mountPath, readOnly }) => `--volume=${volumes[name]}:${mountPath}${readOnly ? ':ro' : ''}`,
      ),
    ],
  };
}

test('registry, warmer and workspace run with the rights that the manifests give them', async (t) => {
  if (containers.missing !== undefined) return t.skip(containers.missing);
  const base = `${containers.services.registry!.host}/busybox:1`;
  const port = await freePort();
  const name = `envbuilder-registry:${port}`;
  const withPort = (texts: readonly string[]) => texts.map((text) => text.replace(/:5000\b/, `:${port}`));
  const hosts = ['--add-host=envbuilder-registry:127.0.0.1'];
  const login = { auths: { [name]: { username: 'envbuilder', password: PASSWORD } } };
  const volumes = {
    registry: containers.directory({}),
    users: containers.directory({ htpasswd: `envbuilder:${hashSync(PASSWORD, 4)}\n` }),
    'base-images': containers.directory({}),
    login: containers.directory({ 'config.json': JSON.stringify(login) }),
  };

  const registry = asDocker(await podOf('registry'), { volumes });
  const server = await containers.start({ docker: [...registry.flags], args: withPort(registry.args) });
  await server.until(/:\d+\n/);

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
  writeFileSync(
    join(app.path, 'Dockerfile'),
    `FROM ${base}\nRUN cat /proc/sys/kernel/random/uuid > /built\n`,
  );
  app.git('add', 'Dockerfile');
  app.git('commit', '-q', '-m', 'Dockerfile');
  const git = await startGitHttpServer({ root: repos, login: { user: 'ada', password: GIT_PASSWORD } });
  t.after(() => git.stop());
  const pod = await podOf('workspace', `--repository=${git.origin}/app.git`);
  const start = async (): Promise<readonly string[]> => {
    const { flags } = asDocker(pod, {
      volumes: { ...volumes, workspaces: containers.directory({}) },
      secrets: { 'envbuilder-git/username': 'ada', 'envbuilder-git/password': GIT_PASSWORD },
    });
    const script = 'cat /built; cat /workspaces/app/sub/inner; env; grep -r p[w]-of /workspaces || echo none';
    const own = {
      ENVBUILDER_WORKSPACE_FOLDER: '/workspaces/app',
      ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile',
      ENVBUILDER_INIT_SCRIPT: script,
    };
    const env = Object.entries(own).map(([variable, value]) => `--env=${variable}=${value}`);
    const { code, stdout, stderr } = await containers.run({
      docker: [...withPort(flags), ...hosts, ...env],
    });
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout.toString() + stderr, /pw-of/);
    const lines = stdout.toString().trim().split('\n');
    assert.deepEqual([lines[1], lines.at(-1)], ['inner', 'none'], stderr);
    return lines;
  };
  const [first, again] = [await start(), await start()];
  assert.match(first[0]!, /^[0-9a-f-]{36}$/);
  assert.equal(again[0], first[0], 'the second workspace takes its layer from the registry');
  await server.docker('stop', '--time=50');
  assert.equal(await server.end(), 0);
});
