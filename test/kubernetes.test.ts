import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { cached, temporaryDir } from '../scripts/lib/cache-dir.ts';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { capture, type Finished, run, step } from '../scripts/lib/shell.ts';
import { parseOptions } from '../src/cli/options/parse.ts';
import { envbuilder, projectRoot } from './support/envbuilder.ts';

/** Ships the schemas that the Kubernetes API publishes, of many versions. */
const VALIDATOR = 'kubernetes-validate==1.37.0';
const VERSIONS = ['1.28', '1.37'];

let dir: string;
let validator: string;
before(async () => {
  dir = temporaryDir('k8s');
  validator = await cached('kubernetes-validate', VALIDATOR, async (path) => {
    if ((await capture('python3', ['-m', 'pip', '--version'])).code !== 0)
      await ensurePackages(['python3-pip']);
    await step(`Installing ${VALIDATOR}`, () =>
      run('python3', [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--root-user-action=ignore',
        '--target',
        path,
        VALIDATOR,
      ]),
    );
  });
});
after(() => rmSync(dir, { recursive: true, force: true }));

async function validate(yaml: string, version: string): Promise<Finished & { readonly passed: number }> {
  const file = join(dir, 'manifests.yaml');
  writeFileSync(file, yaml);
  const args = ['-m', 'kubernetes_validate', '--strict', '-k', version, file];
  const done = await capture('python3', args, { env: { PYTHONPATH: validator } });
  const output = done.stdout.toString() + done.stderr;
  return { ...done, stderr: output, passed: output.match(/ passed /g)?.length ?? 0 };
}

const parts = ['secrets', 'base-images', 'warmer', 'warm-now', 'registry', 'workspace', 'network'];
const full = [
  ...parts,
  '--namespace=dev',
  '--storage-class=fast',
  '--image=debian:bookworm,node:22',
  '--schedule=@daily',
  '--registry-size=1.5Ti',
];

test('all manifests are valid by the schemas of the API, in old and new versions', async () => {
  for (const args of [full, [...full, '--shared-volume']]) {
    const { code, stdout, stderr } = await envbuilder(['k8s', ...args]);
    assert.equal(code, 0, stderr);
    const count = parseAllDocuments(stdout).length;
    for (const version of VERSIONS) {
      const result = await validate(stdout, version);
      assert.equal(result.code, 0, result.stderr);
      assert.equal(result.passed, count, result.stderr);
    }
  }
});

test('the check refuses what the API does not know', async () => {
  const { stdout } = await envbuilder(['k8s', 'registry']);
  for (const [from, to] of [
    ['readinessProbe', 'readynessProbe'],
    ['replicas: 1', 'replicas: one'],
    ['apps/v1', 'apps/v9'],
  ] as const) {
    const result = await validate(stdout.replace(from, to), VERSIONS[1]!);
    // An unknown version is only passed over, so what passed counts too.
    assert.ok(result.code !== 0 || result.passed < 3, `${to}: ${result.stderr}`);
  }
});

test('the page has every part, as the program prints it', async () => {
  const page = readFileSync(join(projectRoot, 'docs/kubernetes.md'), 'utf8');
  for (const part of parts) {
    const { stdout } = await envbuilder(['k8s', part]);
    assert.ok(page.includes(`<!-- envbuilder k8s ${part} -->\n\n\`\`\`yaml\n${stdout}\`\`\``), part);
  }
});

test('containers are started with commands that the command line knows', async () => {
  const { stdout } = await envbuilder(['k8s', ...full]);
  const containers = (
    JSON.stringify(parseAllDocuments(stdout).map((document) => document.toJS())).match(
      /"args":(\[[^\]]*\])/g,
    ) ?? []
  ).map((text) => JSON.parse(text.slice('"args":'.length)) as string[]);
  assert.equal(containers.length, 3);
  for (const [first = '', ...rest] of containers) {
    if (first === 'warm') {
      const { options } = parseOptions('warm', rest, {});
      assert.deepEqual(options.image, ['debian:bookworm', 'node:22']);
      assert.equal(options['cache-dir'], '/base-images');
    } else {
      assert.deepEqual([first, rest[0]], ['registry', 'serve']);
      assert.equal(parseOptions('registry serve', rest.slice(1), {}).options.addr, ':5000');
    }
  }
});

test('what cannot be meant is refused', async () => {
  const cases: [string[], number, RegExp][] = [
    [['registri'], 2, /did you mean registry/],
    [['--namespace=No'], 2, /DNS label/],
    [['--schedule=daily'], 2, /five fields/],
    [['--registry-size=big'], 2, /quantity/],
    [['--image=A B'], 6, /not an image reference/],
  ];
  for (const [args, code, pattern] of cases) {
    const result = await envbuilder(['k8s', ...args]);
    assert.equal(result.code, code, result.output);
    assert.match(result.stderr, pattern);
    assert.equal(result.stdout, '');
  }
});
