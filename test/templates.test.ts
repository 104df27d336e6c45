import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse as parseYaml } from 'yaml';
import { capture, type Finished, run } from '../scripts/lib/shell.ts';
import { OPTIONS } from '../src/cli/options/table.ts';
import { createRepository } from '../src/workspace/testing.ts';
import { useContainers } from './support/container.ts';
import { projectRoot } from './support/envbuilder.ts';
import { type GitHttpServer, startGitHttpServer } from './support/git-http-server.ts';
import { parseTemplate } from './support/hcl.ts';

const containers = useContainers();
const login = { user: 'me', password: 'hunter2-of-git' };

interface Setting {
  readonly host: string;
  /** The runtime image, in the registry. */
  readonly runtime: string;
  readonly cache: string;
  readonly server: GitHttpServer;
  readonly url: string;
  readonly checkout: string;
  /** The environment of a job. */
  readonly env: Readonly<Record<string, string>>;
}

let pushed: Promise<string> | undefined;

/** The registry has the runtime image as others would push it: by Docker. */
async function pushRuntime(host: string): Promise<string> {
  const { docker } = containers.services;
  const name = `${host}/envbuilder:templates`;
  await run(docker!.command, ['tag', 'envbuilder-runtime:test', name], { env: docker!.env });
  await run(docker!.command, ['push', '--quiet', name], { env: docker!.env });
  return name;
}

async function setUp(t: TestContext): Promise<Setting | undefined> {
  if (containers.missing !== undefined) {
    t.skip(containers.missing);
    return undefined;
  }
  const { host } = containers.services.registry!;
  pushed ??= pushRuntime(host);
  const root = containers.directory({});
  const origin = createRepository(join(root, 'app.git'));
  origin.commit({
    '.devcontainer/devcontainer.json': '{ "build": { "dockerfile": "Dockerfile" } }',
    '.devcontainer/Dockerfile': `FROM ${host}/busybox:1\nRUN echo built > /built\n`,
  });
  const server = await startGitHttpServer({ root, login });
  t.after(() => server.stop());
  return {
    host,
    runtime: await pushed,
    cache: `${host}/templates/${randomBytes(4).toString('hex')}`,
    server,
    url: `${server.origin}/app.git`,
    checkout: origin.path,
    env: { PATH: `${projectRoot}:${process.env.PATH}`, HOME: root, NO_COLOR: '1' },
  };
}

type Values = Readonly<Record<string, string>>;

/** A value of a template, with what it refers to put in. */
function filled(value: unknown, values: Values): string {
  return String(value).replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const found = values[name];
    assert.ok(found !== undefined, `a template uses ${name}`);
    return found;
  });
}

function allFilled(map: Readonly<Record<string, unknown>>, values: Values): Values {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, filled(value, values)]));
}

for (const kind of ['docker', 'kubernetes']) {
  test(`the Coder template for ${kind}: it probes, starts the builder, and then the image`, async (t) => {
    const setting = await setUp(t);
    if (!setting) return;
    const { runtime, cache, url, env } = setting;
    const text = readFileSync(join(projectRoot, `examples/coder/${kind}/main.tf`), 'utf8');
    const template = parseTemplate(text);
    const { program, query } = template.data.external.probe[0]!;
    const { own, image, asked } = template.locals[0]!;
    const values = {
      'var.runtime_image': runtime,
      'var.cache_repo': cache,
      'var.fallback_image': 'debian:bookworm',
      'var.git_username': login.user,
      'var.git_password': login.password,
      'var.docker_config_base64': '',
      'data.coder_parameter.repo.value': url,
      'coder_agent.main.init_script': 'cat /built; pwd; echo "$CODER_AGENT_TOKEN"',
      'coder_agent.main.token': 'token-of-the-agent',
      'data.coder_workspace.me.access_url': 'http://127.0.0.1:9',
    };
    const names = OPTIONS.flatMap(({ variable }) => (variable ? [variable] : []));
    for (const name of Object.keys(own)) assert.ok(names.includes(name), name);
    const expression = (code: string): string => `\${${code}}`;
    assert.equal(image, expression('local.cached ? data.external.probe.result.image : var.runtime_image'));
    assert.equal(asked, expression('jsondecode(data.external.probe.result.env)'));

    const probe = async (): Promise<Values> => {
      const queryFile = join(env.HOME!, `${kind}.json`);
      writeFileSync(queryFile, JSON.stringify(allFilled(query, values)));
      const { code, stdout, stderr } = await capture(
        'sh',
        ['-c', `exec "$@" <'${queryFile}'`, 'sh', ...program],
        { env },
      );
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout.toString());
    };
    const start = (result: Values): Promise<Finished> => {
      const merged = { ...JSON.parse(result.env!), ...allFilled(own, values) };
      const given = Object.entries<string>(merged).filter(([, value]) => value !== '');
      const chosen = result.exists === 'true' ? result.image! : runtime;
      return containers.run({ image: chosen, env: Object.fromEntries(given) });
    };
    const first = await probe();
    for (const [, key = ''] of text.matchAll(/probe\.result\.(\w+)/g)) assert.ok(key in first, key);
    assert.equal(first.exists, 'false');
    assert.equal(first.missing_instruction, 'RUN echo built > /built');
    assert.ok(!JSON.stringify(first).includes(login.password));
    const building = await start(first);
    assert.equal(
      building.stdout.toString(),
      'built\n/workspaces/repo\ntoken-of-the-agent\n',
      building.stderr,
    );

    const second = await probe();
    assert.equal(second.exists, 'true', JSON.stringify(second));
    assert.match(building.stderr, new RegExp(`^pushed the image ${second.image}`, 'm'));
    const starting = await start(second);
    assert.equal(starting.stdout.toString(), building.stdout.toString(), starting.stderr);
    assert.match(starting.stderr, /started from a built image; nothing is built/);
  });
}

/** The YAML blocks of a page, by the heading above them. */
function blocksOf(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(projectRoot, 'docs', page), 'utf8');
  const found = text.matchAll(/^## (.*)\n[\s\S]*?^```yaml\n([\s\S]*?)^```$/gm);
  return new Map([...found].map(([, heading, block]) => [heading!, block!]));
}

test('the jobs of the page on CI', async (t) => {
  const setting = await setUp(t);
  if (!setting) return;
  const { host, runtime, cache, server, url, checkout, env } = setting;
  const blocks = blocksOf('ci.md');
  const sh = async (script: string, more: Values = {}): Promise<string> => {
    const { code, stdout, stderr } = await capture('sh', ['-euc', script], {
      cwd: checkout,
      env: { ...env, ...more },
    });
    assert.equal(code, 0, stderr);
    return stdout.toString();
  };
  const inImage = async (image: string, script: string): Promise<string> => {
    const shell = ['--entrypoint=/bin/sh'];
    const { code, stdout, stderr } = await containers.run({ image, docker: shell, args: ['-c', script] });
    assert.equal(code, 0, stderr);
    return stdout.toString();
  };

  const gitlab = parseYaml(blocks.get('GitLab CI')!);
  const job = { CI_REGISTRY_IMAGE: `${cache}-gitlab` };
  for (const line of [...gitlab.build.script, ...gitlab.probe.script]) await sh(line, job);
  const [, image = ''] = /^IMAGE=(.*)\n$/.exec(readFileSync(join(checkout, 'image.env'), 'utf8')) ?? [];
  assert.equal(await inImage(image, gitlab.test.script.join('\n')), 'built\n');
  await sh('rm image.env');

  const github = parseYaml(blocks.get('GitHub Actions')!);
  const output = join(env.HOME!, 'github-output');
  const steps: readonly { readonly run?: string }[] = github.jobs.image.steps;
  for (const { run: script } of steps.filter((step) => step.run !== undefined)) {
    const here = script!.replace('sudo --preserve-env ', '').replaceAll('ghcr.io', host);
    await sh(here, { GITHUB_OUTPUT: output, GITHUB_REPOSITORY: cache.slice(host.length + 1) });
  }
  const [, made = ''] = /^image=(.*)\n$/.exec(readFileSync(output, 'utf8')) ?? [];
  assert.equal(await inImage(made, github.jobs.test.steps[0].run), 'built\n');

  const address = url.replace('//', `//${login.user}:${login.password}@`);
  const parameters = (text: unknown): string =>
    String(text)
      .replace(/\$\(params\.(\w+)\)|\{\{workflow\.parameters\.(\w+)\}\}/g, (_, a?: string, b?: string) =>
        (a ?? b) === 'url' ? address : cache,
      )
      .replace('registry.example.com/envbuilder:1', runtime);
  type Container = {
    readonly image: string;
    readonly command: readonly string[];
    readonly args?: readonly string[];
    readonly env?: readonly { readonly name: string; readonly value: string }[];
  };
  const asContainer = ({ image: from, command, args = [], env: given = [] }: Container) => {
    assert.equal(command.length, 1);
    return containers.run({
      image: parameters(from),
      docker: [`--entrypoint=${command[0]}`],
      args: args.map(parameters),
      env: Object.fromEntries(given.map(({ name, value }) => [name, parameters(value)])),
    });
  };
  const argo = parseYaml(blocks.get('Argo Workflows')!).spec.templates[0].container;
  const before = await asContainer(argo);
  assert.equal(before.code, 0, before.stderr);
  assert.equal(JSON.parse(before.stdout.toString()).exists, false);
  const tekton = await asContainer(parseYaml(blocks.get('Tekton')!).spec.steps[0]);
  assert.equal(tekton.stdout.toString(), 'built\n', tekton.stderr);
  const after = await asContainer(argo);
  const answer = JSON.parse(after.stdout.toString());
  assert.equal(answer.exists, true, after.stderr);
  assert.match(tekton.stderr, new RegExp(`^pushed the image ${answer.image}`, 'm'));
  assert.ok(server.requests.length > 0);
});
