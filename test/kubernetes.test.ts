import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { cached, temporaryDir } from '../scripts/lib/cache-dir.ts';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { findGo, noGo } from '../scripts/lib/go-program.ts';
import { capture, type Finished, run, step } from '../scripts/lib/shell.ts';
import { parseOptions } from '../src/cli/options/parse.ts';
import { PART_NAMES as ALL_PARTS, ON_DEMAND_JOBS, PIPELINE_PARTS } from '../src/kubernetes/manifests.ts';
import { envbuilder, projectRoot } from './support/envbuilder.ts';
import { POD_OPTIONS } from './support/kubernetes-options.ts';

/** Ships the schemas that the Kubernetes API publishes, of many versions. */
const VALIDATOR = 'kubernetes-validate==1.37.0';
/** The schemas of 1.28 want conditions in each rule of a Job's failures, which the API itself does not. */
const VERSIONS = ['1.29', '1.37'];

/** Those of kinds that the API itself knows; those of others are applied in cluster.test.ts. */
const PART_NAMES = ALL_PARTS.filter((name) => !PIPELINE_PARTS.includes(name));

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

const full = [
  ...PART_NAMES,
  '--namespace=dev',
  '--storage-class=fast',
  '--image=debian:bookworm,node:22',
  '--schedule=@daily',
  '--registry-size=1.5Ti',
];

/** All that can be asked for. */
const asked = [
  ...POD_OPTIONS,
  '--architecture=amd64,arm64',
  '--node-selector=pool=dev',
  '--insecure-registry=old.corp:5000',
];

test('all manifests are valid by the schemas of the API, in old and new versions', async () => {
  for (const args of [
    full,
    [...full, '--shared-volume'],
    [...full, ...asked],
    [...PART_NAMES, '--unsigned'],
  ]) {
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

/** A project with all that its services can have in a pod. */
const COMPOSE = `
services:
  app:
    image: dev
    volumes: ["..:/w", "home:/home/dev"]
    depends_on: { db: { condition: service_healthy }, setup: { condition: service_completed_successfully } }
    secrets: [pw]
    ports: ["3000"]
  db:
    image: db
    user: "999:999"
    command: server --name "a b"
    environment: { A: "1" }
    healthcheck: { test: [CMD, ready] }
    volumes: ["data:/data", "../db:/setup:ro", /anonymous, "there:/there"]
    tmpfs: ["/run:size=64m"]
    read_only: true
    cap_drop: [ALL]
    cap_add: [CHOWN]
    security_opt: ["no-new-privileges:true"]
    deploy: { resources: { limits: { cpus: "0.5", memory: 1g }, reservations: { memory: 10m } } }
    extra_hosts: ["other:10.0.0.1"]
    secrets: [{ source: pw, mode: 0400 }]
    configs: [conf]
    ports: ["5432:5432", "53/udp"]
    stop_grace_period: 1m
    tty: true
    pull_policy: always
  setup: { build: ../db, depends_on: [db] }
volumes: { data: , home: , there: { external: true } }
secrets: { pw: { file: ../pw.txt } }
configs: { conf: { content: "a: b" } }
`;

/** A checkout with it. */
function checkout(): string {
  const folder = join(dir, 'checkout');
  mkdirSync(join(folder, '.devcontainer'), { recursive: true });
  const config = { dockerComposeFile: 'compose.yml', service: 'app' };
  writeFileSync(join(folder, '.devcontainer/devcontainer.json'), JSON.stringify(config));
  writeFileSync(join(folder, '.devcontainer/compose.yml'), COMPOSE);
  return folder;
}

test('a pod with services is valid by the schemas of the API, and what is to be done is said', async () => {
  const args = [
    'k8s',
    'workspace',
    `--compose=${checkout()}`,
    '--service-image=setup=registry.example/setup:1',
  ];
  const { code, stdout, stderr } = await envbuilder(args);
  assert.equal(code, 0, stderr);
  const count = parseAllDocuments(stdout).length;
  assert.equal(count, 5);
  for (const version of VERSIONS) {
    const result = await validate(stdout, version);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(result.passed, count, result.stderr);
  }
  assert.match(
    stderr,
    /the secret pw .*kubectl create secret generic envbuilder-workspace-pw --from-file=value=pw.txt/,
  );
  assert.equal(stderr.match(/^warning: /gm)?.length, 1, stderr);
  const chart = join(dir, 'chart-with-services');
  const written = await envbuilder([...args, `--helm=${chart}`]);
  assert.equal(written.code, 0, written.stderr);
  const values = parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as Record<string, unknown>;
  assert.equal(values.repository, undefined, 'services are of one repository');
});

test('services that cannot be meant are refused', async () => {
  const folder = checkout();
  const plain = join(dir, 'plain');
  mkdirSync(join(plain, '.devcontainer'), { recursive: true });
  writeFileSync(join(plain, '.devcontainer/devcontainer.json'), '{ "image": "a" }');
  const cases: [string[], number, RegExp][] = [
    [['workspace', `--compose=${folder}`], 17, /compose.yml:\d+:.*--service-image setup=REFERENCE/s],
    [['workspace', `--compose=${folder}`, '--service-image=setpu=a:1'], 2, /did you mean setup/],
    [['workspace', '--service-image=setup=a:1'], 2, /needs --compose/],
    [['registry', `--compose=${folder}`], 2, /--compose is for the workspace/],
    [['workspace', `--compose=${plain}`], 17, /names no Compose project/],
    [['workspace', `--compose=${join(dir, 'none')}`], 17, /no devcontainer.json/],
  ];
  for (const [args, code, pattern] of cases) {
    const result = await envbuilder(['k8s', ...args]);
    assert.equal(result.code, code, result.output);
    assert.match(result.stderr, pattern);
    assert.equal(result.stdout, '');
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
  const blocks = [...page.matchAll(/<!-- envbuilder k8s ([\w-]+) -->\n\n```yaml\n(.*?)```/gs)];
  assert.deepEqual(new Set(blocks.map(([, part]) => part)), new Set(PART_NAMES));
  const { stdout } = await envbuilder(['k8s', ...PART_NAMES]);
  const printed = new Set(stdout.split(/^---\n/m));
  for (const [, part, yaml = ''] of blocks)
    for (const document of yaml.split(/^---\n/m)) assert.ok(printed.has(document), String(part));
});

test('containers are started with commands that the command line knows', async () => {
  const { stdout } = await envbuilder(['k8s', ...full]);
  const containers = (
    JSON.stringify(parseAllDocuments(stdout).map((document) => document.toJS())).match(
      /"args":(\[[^\]]*\])/g,
    ) ?? []
  ).map((text) => JSON.parse(text.slice('"args":'.length)) as string[]);
  assert.equal(containers.length, 4);
  for (const [first = '', ...rest] of containers) {
    if (first === 'warm') {
      const { options } = parseOptions('warm', rest, {});
      assert.deepEqual(options.image, ['debian:bookworm', 'node:22']);
      assert.equal(options['cache-dir'], '/base-images');
    } else {
      assert.equal(first, 'registry');
      const command = rest[0] === 'gc' ? 'registry gc' : 'registry serve';
      const { options } = parseOptions(command, rest.slice(1), {});
      assert.deepEqual([options.dir, options['older-than']], ['/registry', '30d']);
    }
  }
});

test('what cannot be meant is refused', async () => {
  const cases: [string[], number, RegExp][] = [
    [['registri'], 2, /did you mean registry/],
    [['--namespace=No'], 2, /DNS label/],
    [['--schedule=daily'], 2, /1 fields, and not 5/],
    [['--schedule=0 0 * * 7'], 2, /day of the week is "7"/],
    [['--kustomize=a', '--helm=b'], 2, /either/],
    [['prebuild', '--helm=b'], 2, /no place in a chart/],
    [['--registry-size=big'], 2, /quantity/],
    [['prebuild-tekton'], 2, /--namespace/],
    [['prebuild-argo', '--helm=b', '--namespace=a'], 2, /no place in a chart/],
    [['--image=A B'], 6, /not an image reference/],
  ];
  for (const [args, code, pattern] of cases) {
    const result = await envbuilder(['k8s', ...args]);
    assert.equal(result.code, code, result.output);
    assert.match(result.stderr, pattern);
    assert.equal(result.stdout, '');
  }
});

test('a base of kustomize and a chart are written, of the objects that are printed', async () => {
  const [base, chart] = [join(dir, 'base'), join(dir, 'chart')];
  for (const flag of [`--kustomize=${base}`, `--helm=${chart}`]) {
    const { code, stdout, stderr } = await envbuilder(['k8s', flag, '--namespace=dev']);
    assert.deepEqual([code, stdout], [0, ''], stderr);
  }
  const { stdout } = await envbuilder(['k8s', '--namespace=dev']);
  const { resources } = parse(readFileSync(join(base, 'kustomization.yaml'), 'utf8')) as {
    resources: string[];
  };
  assert.equal(resources.map((path) => readFileSync(join(base, path), 'utf8')).join('---\n'), stdout);
  assert.equal(readdirSync(join(chart, 'templates')).length, resources.length);
  assert.equal(
    (parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) as { apiVersion: string }).apiVersion,
    'v2',
  );
});

/** Templates are Go's; `quote` is the one function of Helm's that ours use. */
const RENDER = `package main
import ("encoding/json"; "fmt"; "os"; "path/filepath"; "text/template")
func check(err error) { if err != nil { panic(err) } }
func main() {
  var data map[string]any
  check(json.Unmarshal([]byte(os.Args[2]), &data))
  files, err := filepath.Glob(os.Args[1] + "/templates/*")
  check(err)
  quote := func(value any) string { return fmt.Sprintf("%q", fmt.Sprint(value)) }
  for _, file := range files {
    text, err := os.ReadFile(file)
    check(err)
    parsed, err := template.New(file).Option("missingkey=error").Funcs(template.FuncMap{"quote": quote}).Parse(string(text))
    check(err)
    fmt.Println("---")
    check(parsed.Execute(os.Stdout, data))
  }
}
`;

test('what the templates of a chart give is what is printed, and valid', { skip: noGo() }, async () => {
  const chart = join(dir, 'rendered');
  const source = join(dir, 'render.go');
  writeFileSync(source, RENDER);
  const parts = PART_NAMES.filter((name) => !ON_DEMAND_JOBS.includes(name));
  for (const args of [
    ['--namespace=dev'],
    ['--namespace=dev', ...asked.filter((flag) => !/--queue/.test(flag))],
  ]) {
    const { code, stderr } = await envbuilder(['k8s', ...parts, `--helm=${chart}`, ...args]);
    assert.equal(code, 0, stderr);
    const data = {
      Values: parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as unknown,
      Release: { Name: args.includes('--name=fleet') ? 'fleet' : 'envbuilder', Namespace: 'dev' },
    };
    const yaml = await run(findGo() ?? 'go', ['run', source, chart, JSON.stringify(data)], {
      env: { GO111MODULE: 'off' },
    });
    const { stdout } = await envbuilder(['k8s', ...parts, ...args]);
    const objects = (text: string): unknown[] =>
      parseAllDocuments(text)
        .map((document) => document.toJS() as { kind: string; metadata: { name: string } } | null)
        .filter((object) => object !== null)
        .sort((a, b) => (`${a.kind}/${a.metadata.name}` < `${b.kind}/${b.metadata.name}` ? -1 : 1));
    assert.deepEqual(objects(yaml), objects(stdout));
    const result = await validate(yaml, VERSIONS[1]!);
    assert.equal(result.code, 0, result.stderr);
    rmSync(chart, { recursive: true });
  }
});
