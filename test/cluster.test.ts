import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { createCleanUp } from '../scripts/lib/cleanup.ts';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { once } from '../src/core/concurrency.ts';
import { ON_DEMAND_JOBS, PART_NAMES, PIPELINE_PARTS } from '../src/kubernetes/manifests.ts';
import type { Deployment, Job, Manifest, Pod } from '../src/kubernetes/types.ts';
import {
  BASE,
  type Fleet,
  GIT,
  loginFor,
  OTHER_BASE,
  printedObject,
  startFleet,
  usersFile,
} from './support/cluster/fleet.ts';
import { pageCommands } from './support/cluster/page-commands.ts';
import { noCluster } from './support/cluster/parts.ts';
import { type PipelineKinds, pipelineKinds } from './support/cluster/pipelines.ts';
import { createPageRunner } from './support/cluster/run-page.ts';
import { POD_OPTIONS } from './support/kubernetes-options.ts';

const skip = noCluster();
const cleanUp = createCleanUp();
let fleet: Fleet;
/** What a cluster has that has Argo and Tekton; their objects can be applied from then on. */
const kinds = once(async (): Promise<PipelineKinds> => {
  const found = await pipelineKinds();
  await found.install(fleet.cluster);
  return found;
});

before(async () => {
  if (skip !== false) return;
  try {
    fleet = await startFleet(cleanUp);
  } catch (error) {
    await cleanUp.run();
    throw error;
  }
});
after(cleanUp.run);

/** Those that every cluster has the kinds for. */
const API_PARTS = PART_NAMES.filter((name) => !PIPELINE_PARTS.includes(name));

/** No node has it, so pods are made and never start. */
const NOWHERE = '--node-selector=pool=none';

test('what is printed can be applied again and again, and nothing differs then', { skip }, async () => {
  const { cluster, printed, namespace } = fleet;
  const base = join(temporaryDir('kustomize'), 'base');
  after(() => rmSync(join(base, '..'), { recursive: true, force: true }));
  const server = ['--server-side'];
  const asked: Readonly<Record<string, { args: readonly string[]; how?: readonly string[] }>> = {
    usual: { args: [] },
    all: { args: [...PART_NAMES, '--registry-size=1.5Ti', '--schedule=@daily'] },
    client: { args: API_PARTS, how: [] },
    shared: {
      args: [...API_PARTS, '--shared-volume', '--unsigned', '--architecture=amd64,arm64', '--suspend'],
    },
    options: { args: [...API_PARTS, ...POD_OPTIONS] },
  };
  await kinds();
  await cluster.ok(['create', '--filename=-'], JSON.stringify(PRIORITY));
  for (const [name, { args, how = server }] of Object.entries(asked)) {
    await namespace(name, 'baseline');
    await cluster.ok(['create', `--namespace=${name}`, 'serviceaccount', 'builder']);
    const yaml = await printed(...args, NOWHERE, `--namespace=${name}`);
    for (let round = 0; round < 2; round += 1) await cluster.ok(['apply', ...how, '--filename=-'], yaml);
    assert.equal(await cluster.ok(['diff', ...how, '--filename=-'], yaml), '', name);
  }
  await printed(`--kustomize=${base}`, NOWHERE, '--namespace=usual');
  await cluster.ok(['apply', '--server-side', '--force-conflicts', `--kustomize=${base}`]);
  assert.equal(await cluster.ok(['diff', '--server-side', `--kustomize=${base}`]), '');
});

test('what is written for Helm and for kustomize gives what is printed', { skip }, async () => {
  const { cluster, printed, flags, namespace } = fleet;
  const directory = temporaryDir('charts');
  after(() => rmSync(directory, { recursive: true, force: true }));
  await namespace('charts', 'baseline');
  await cluster.ok(['create', '--namespace=charts', 'serviceaccount', 'builder']);
  const [chart, base] = [join(directory, 'chart'), join(directory, 'base')];
  const parts = PART_NAMES.filter((name) => !ON_DEMAND_JOBS.includes(name));
  const operator = async (script: string): Promise<string> => {
    const place = { cwd: directory, namespace: 'charts', env: {}, programs: directory };
    const { code, stdout, stderr } = await cluster.shell(script, place);
    assert.equal(code, 0, `${script}: ${stderr}${stdout}`);
    return stdout.toString();
  };
  const options = POD_OPTIONS.filter((flag) => !/--queue/.test(flag));
  for (const more of [['--name=fleet', '--shared-volume'], options]) {
    const args = [...parts, ...more, NOWHERE, '--namespace=charts'];
    await printed(...args, `--helm=${chart}`);
    assert.match(await operator('helm lint --strict chart'), /1 chart\(s\) linted, 0 chart\(s\) failed/);
    const rendered = await operator('helm template fleet chart --namespace charts --validate');
    const yaml = await printed(...args);
    await cluster.ok(['apply', '--server-side', '--force-conflicts', '--filename=-'], yaml);
    assert.equal(await cluster.ok(['diff', '--server-side', '--filename=-'], rendered), '', String(more));
    await printed(...args, `--kustomize=${base}`);
    assert.deepEqual(objectsOf(await operator('kubectl kustomize base')), objectsOf(yaml));
    assert.equal(objectsOf(rendered).length, objectsOf(yaml).length);
    await cluster.ok(['delete', '--wait=false', '--filename=-'], yaml);
    for (const written of [chart, base]) rmSync(written, { recursive: true });
  }
  // A value of the chart gets to where the option would.
  await printed(`--helm=${chart}`, ...flags);
  const other = await operator(
    'helm template other chart --set workspaceSize=7Gi,repository=https://x/y.git',
  );
  assert.match(other, /name: "other-workspace"/);
  assert.match(other, /storage: "7Gi"/);
  assert.match(other, /value: "https:\/\/x\/y.git"/);
});

test('pipelines are of kinds that Argo and Tekton know, and Tekton learns how a Job has ended', {
  skip,
}, async () => {
  const { cluster, printed } = fleet;
  const { problems } = await kinds();
  await namespaceOnce('dev');
  const args = [...PIPELINE_PARTS, '--namespace=dev'];
  for (const more of [[], ['--architecture=amd64,arm64', '--branch=main'], POD_OPTIONS]) {
    const yaml = await printed(...args, ...more);
    const all = objectsOf(yaml);
    await cluster.ok(['apply', '--server-side', '--dry-run=server', '--filename=-'], yaml);
    assert.deepEqual(
      all.flatMap((object) => problems(object).map((text) => `${object.kind}: ${text}`)),
      [],
    );
    const kindsOfAll = new Set(all.map(({ kind }) => kind));
    for (const kind of ['WorkflowTemplate', 'CronWorkflow', 'Sensor', 'Pipeline', 'EventListener'])
      assert.ok(kindsOfAll.has(kind as Manifest['kind']), kind);
    // What is not known is told.
    const text = JSON.stringify(all);
    for (const [from, to] of [
      ['eventSourceName', 'eventSource'],
      ['authSecret', 'secret'],
      ['interceptors', 'interceptor'],
      ['resourcetemplates', 'resourceTemplates'],
    ] as const) {
      const wrong = JSON.parse(text.replaceAll(from, to)) as readonly Manifest[];
      assert.ok(
        wrong.some((object) => problems(object).length > 0),
        from,
      );
    }
    const strange = text.replaceAll('"entrypoint"', '"entryPoint"').replaceAll('"taskRef"', '"taskref"');
    for (const object of JSON.parse(strange) as readonly Manifest[]) {
      const dry = ['create', '--dry-run=server', '--validate=strict', '--namespace=default', '--filename=-'];
      const own = { ...object, metadata: { ...object.metadata, namespace: 'default' } };
      if (!/^(WorkflowTemplate|Pipeline)$/.test(object.kind ?? '')) continue;
      const refused = await cluster.kubectl(dry, JSON.stringify(own));
      assert.match(refused.stderr, /unknown field/, String(object.kind));
    }
  }
  const [task] = objectsOf(await printed(...args)).filter((object) => object.kind === 'Task');
  const busy = { apiVersion: 'batch/v1', kind: 'Job', spec: { backoffLimit: 0 } };
  for (const [name, command, ends] of [
    ['well', 'exit 0', true],
    ['badly', 'exit 1', false],
  ] as const) {
    const container = { name: 'a', image: BASE, command: ['sh', '-c', command] };
    const template = { spec: { restartPolicy: 'Never', containers: [container] } };
    const spec = { ...busy.spec, template };
    await cluster.ok(['create', '--filename=-'], JSON.stringify({ ...busy, metadata: { name }, spec }));
    const steps = task?.spec.steps.filter((step) => step.name === 'wait' || step.name === 'result') ?? [];
    const codes: number[] = [];
    for (const { args: own = [] } of steps) {
      const words = own.map((word) => word.replace('$(params.job)', name));
      codes.push((await cluster.kubectl(words)).code);
    }
    assert.deepEqual(codes, ends ? [0, 0] : [0, 1], name);
  }
});

/** What a RUN can get hold of is in the layer that it makes. */
const LOOK =
  'cat /proc/*/environ /proc/*/cmdline 2>/dev/null; env; find / -xdev -path /.envbuilder -prune -o -type f -exec grep -s -e p[w]-of -e eyJhdX[R]oc {} +';
const DOCKERFILE = `FROM ${BASE}
RUN wget -q -O /built ${GIT}/app
RUN (${LOOK}) > /seen; true
`;
const REGISTRY = 'envbuilder-registry:5000';
/** How other namespaces call it. */
const REGISTRY_OUTSIDE = 'envbuilder-registry.fleet.svc:5000';
const RIGHTS = [
  'prebuild ** pull,push,delete',
  'workspace cache/** pull',
  'team-a team-a/** pull',
  'team-b team-b/** pull',
  '',
];
const USERS = ['prebuild', 'workspace', 'team-a', 'team-b'];
const IN_FLEET = '--namespace=fleet';

/** The registry, base images and the prebuild of app.git, once: in the order of docs/kubernetes.md. */
const prebuilt = once(async (): Promise<void> => {
  const { cluster, printed, apply, ended } = fleet;
  fleet.repository('app', DOCKERFILE);
  countRequests('/app');
  await fleet.namespace('fleet', 'baseline');
  const users = [`--from-literal=htpasswd=${usersFile(USERS)}`, `--from-literal=rights=${RIGHTS.join('\n')}`];
  await cluster.ok(['create', IN_FLEET, 'secret', 'generic', 'envbuilder-registry-users', ...users]);
  await fleet.secrets('fleet', {
    'envbuilder-registry-push': loginFor(REGISTRY, 'prebuild'),
    'envbuilder-registry-pull': loginFor(REGISTRY, 'workspace'),
  });
  await apply('base-images', 'warm-now', 'registry', IN_FLEET);
  const [warmed] = await ended('fleet', jobName(await printed('warm-now')));
  assert.deepEqual([warmed?.command, warmed?.outcome], ['warm', 'ok']);
  await apply('base-images-read', 'warmer', 'network', IN_FLEET);
  const deployments = '/apis/apps/v1/namespaces/fleet/deployments';
  await cluster.until<Deployment>(
    deployments,
    'envbuilder-registry',
    ({ status }) => status?.readyReplicas === 1,
  );
  await apply('prebuild', IN_FLEET);
  const [message] = await ended('fleet', jobName(await printed('prebuild')));
  assert.deepEqual([message?.command, message?.outcome, message?.steps.built], ['start', 'ok', 2]);
  assert.match(message?.image ?? '', /^envbuilder-registry:5000\/cache@sha256:/);
});

/** Nodes can pull from the registry, with the Secret `pull`. */
const pullable = once(async (): Promise<void> => {
  const { cluster } = fleet;
  const service = ['get', IN_FLEET, 'service/envbuilder-registry', '--output=jsonpath={.spec.clusterIP}'];
  cluster.trust(REGISTRY, `http://${await cluster.ok(service)}:5000`);
  const config = `--from-literal=.dockerconfigjson=${loginFor(REGISTRY, 'workspace')}`;
  const type = '--type=kubernetes.io/dockerconfigjson';
  await cluster.ok(['create', IN_FLEET, 'secret', 'generic', 'pull', type, config]);
});

test('a workspace takes the layers of a prebuild, and is there again after its end', { skip }, async (t) => {
  await prebuilt();
  const { cluster, apply, ready, exec } = fleet;
  const ada = (...command: readonly string[]) => exec('fleet', 'envbuilder-ada', ...command);
  const end = async (): Promise<void> => {
    const start = performance.now();
    // It takes all of ten minutes if the workspace does not end at the signal, and is then given up.
    await cluster.ok(['delete', IN_FLEET, 'pod/envbuilder-ada', '--grace-period=3600']);
    t.diagnostic(`deleted after ${((performance.now() - start) / 1000).toFixed(1)} s`);
  };
  for (const round of ['first', 'again']) {
    await apply('workspace', '--workspace-name=ada', IN_FLEET);
    await ready('fleet', 'envbuilder-ada');
    assert.equal(await ada('cat', '/built'), '1', 'it was built once');
    // What exec starts has the variables of the pod itself, as the page says.
    assert.doesNotMatch(
      await ada('cat', '/seen', '/proc/1/environ'),
      /pw-of|eyJhdXR|ENVBUILDER_DOCKER_CONFIG/,
    );
    if (round === 'first') await ada('sh', '-c', 'echo kept > /workspaces/kept; echo lost > /lost');
    else assert.equal(await ada('sh', '-c', 'cat /workspaces/kept; ls /lost 2>/dev/null || true'), 'kept\n');
    if (round === 'first') await end();
  }
  // What makes room on a node asks for it in this way.
  await evict('envbuilder-ada');
  await cluster.ok(['wait', IN_FLEET, '--for=delete', 'pod/envbuilder-ada', '--timeout=3600s']);
});

test('a workspace starts from the image of a prebuild, which the node pulls by its digest', {
  skip,
}, async () => {
  await prebuilt();
  const { cluster, printed, apply, ready, exec } = fleet;
  const yaml = await printed('workspace', '--workspace-name=probe', IN_FLEET);
  const [claim, pod] = [printedObject(yaml, 'PersistentVolumeClaim'), printedObject(yaml, 'Pod')];
  const [container] = pod.spec?.containers ?? [];
  if (pod.spec === undefined || container === undefined) assert.fail(yaml);
  const env = [
    ...(container.env ?? []),
    { name: 'ENVBUILDER_GET_CACHED_IMAGE', value: 'true' },
    { name: 'ENVBUILDER_CACHE_REPO', value: `${REGISTRY}/cache` },
  ];
  const probe = { ...pod, spec: { ...pod.spec, containers: [{ ...container, env }] } };
  await cluster.ok(
    ['create', '--filename=-'],
    [claim, probe].map((each) => JSON.stringify(each)).join('\n---\n'),
  );
  const isOver = ({ status }: Pod): boolean => /Succeeded|Failed/.test(status?.phase ?? '');
  await cluster.until<Pod>('/api/v1/namespaces/fleet/pods', 'envbuilder-probe', isOver);
  const log = await cluster.ok(['logs', IN_FLEET, 'pod/envbuilder-probe']);
  const image = /^ENVBUILDER_CACHED_IMAGE=(\S+@sha256:\S+)$/m.exec(log)?.[1] ?? assert.fail(log);
  await pullable();
  await apply(
    'workspace',
    '--workspace-name=bob',
    `--prebuilt=${image}`,
    '--image-pull-secret=pull',
    IN_FLEET,
  );
  await ready('fleet', 'envbuilder-bob');
  assert.equal(await exec('fleet', 'envbuilder-bob', 'cat', '/built'), '1');
});

test('prebuilds for two architectures are one image, of which a node pulls its own', { skip }, async () => {
  await prebuilt();
  const { cluster, printed, apply, ended, ready, exec } = fleet;
  fleet.repository('both', `FROM ${OTHER_BASE}\nCOPY devcontainer.json /copied\n`);
  const args = ['prebuild', '--architecture=amd64,arm64', `--repository=${GIT}/both.git`, IN_FLEET];
  const jobs = objectsOf(await printed(...args)).filter((object) => object.kind === 'Job') as Job[];
  // The node plays both: the images of the tests have the same programs for all architectures.
  const playable = jobs.map((job) => {
    const spec = job.spec?.template.spec;
    const { 'kubernetes.io/arch': arch, ...nodeSelector } = spec?.nodeSelector ?? {};
    const [container] = spec?.containers ?? [];
    const platform = arch === undefined ? [] : [{ name: 'ENVBUILDER_PLATFORM', value: `linux/${arch}` }];
    const env = [...(container?.env ?? []), ...platform];
    const own = { ...spec, nodeSelector, containers: [{ ...container, env }] };
    return { ...job, spec: { ...job.spec, template: { ...job.spec?.template, spec: own } } };
  });
  // The one that waits for the others comes first.
  for (const job of playable.toReversed()) await cluster.ok(['create', '--filename=-'], JSON.stringify(job));
  const images: string[] = [];
  for (const { metadata } of jobs) {
    const [message] = await ended('fleet', metadata?.name ?? '');
    images.push(message?.image ?? assert.fail(JSON.stringify(message)));
  }
  assert.equal(new Set(images).size, 3);
  const index = playable.at(-1)!;
  await cluster.ok(['delete', IN_FLEET, `job/${index.metadata?.name}`]);
  await cluster.ok(['create', '--filename=-'], JSON.stringify(index));
  const [again] = await ended('fleet', index.metadata?.name ?? '');
  assert.equal(again?.image, images[2], 'the same images are the same index');
  await pullable();
  const image = [`--prebuilt=${images[2]}`, '--image-pull-secret=pull'];
  await apply('workspace', '--workspace-name=both', ...image, IN_FLEET);
  await ready('fleet', 'envbuilder-both');
  const built = await exec(
    'fleet',
    'envbuilder-both',
    '/bin/sh',
    '-c',
    'cat /copied; tr "\\0" "\\n" </proc/1/environ',
  );
  assert.match(built, /"dockerfile"/);
  assert.match(built, new RegExp(`BUILT_FOR=${process.arch === 'arm64' ? 'arm64' : 'amd64'}`));
  await cluster.ok(['delete', IN_FLEET, 'pod/envbuilder-both']);
});

test('a prebuild that has to make room is built by another pod, and has not failed', { skip }, async () => {
  await prebuilt();
  const { cluster, pages, printed, apply, ended } = fleet;
  fleet.repository('slow', `FROM ${BASE}\nRUN wget -q -O /built ${GIT}/slow\n`);
  const building = Promise.withResolvers<void>();
  // The first one gets no answer.
  pages.set('/slow', () => {
    countRequests('/slow');
    building.resolve();
  });
  const args = ['prebuild', `--repository=${GIT}/slow.git`, IN_FLEET];
  await apply(...args);
  const job = jobName(await printed(...args));
  await building.promise;
  const selector = ['get', IN_FLEET, 'pods', `--selector=job-name=${job}`, '--output=name'];
  await evict((await cluster.ok(selector)).trim().replace('pod/', ''));
  const messages = await ended('fleet', job);
  const failed = await cluster.ok(['get', IN_FLEET, `job/${job}`, '--output=jsonpath={.status.failed}']);
  assert.equal(failed, '', JSON.stringify(messages));
});

test('eight pods of an environment that nobody has built run each of its commands once', {
  skip,
}, async (t) => {
  await prebuilt();
  const { cluster, printed, ended } = fleet;
  const paths = ['/herd/1', '/herd/2', '/herd/3'];
  const counts = paths.map(countRequests);
  fleet.repository(
    'herd',
    [`FROM ${BASE}`, ...paths.map((path, i) => `RUN wget -q -O /${i} ${GIT}${path}`), ''].join('\n'),
  );
  const job = printedObject(await printed('prebuild', `--repository=${GIT}/herd.git`, IN_FLEET), 'Job');
  const spec = { ...job.spec, completionMode: 'Indexed', completions: HERD, parallelism: HERD };
  const start = performance.now();
  await cluster.ok(['create', '--filename=-'], JSON.stringify({ ...job, spec }));
  await ended('fleet', job.metadata?.name ?? '');
  t.diagnostic(`${HERD} pods: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  assert.deepEqual(
    counts.map((count) => count()),
    [1, 1, 1],
  );
});

test('a tenant can neither write into what another one starts from, nor read it', { skip }, async () => {
  await prebuilt();
  const { cluster, printed, apply, ended, ready, exec } = fleet;
  fleet.repository('shared', `FROM ${BASE}\nRUN wget -q -O /built ${GIT}/shared\n`);
  countRequests('/shared');
  const repository = `--repository=${GIT}/shared.git`;
  // The prebuild of the second tenant, by whoever runs the fleet.
  const mine = [
    'prebuild',
    repository,
    `--registry=${REGISTRY}/team-b`,
    `--insecure-registry=${REGISTRY}`,
    IN_FLEET,
  ];
  await apply(...mine);
  await ended('fleet', jobName(await printed(...mine)));
  const flags = (namespace: string) => [
    repository,
    `--registry=${REGISTRY_OUTSIDE}/team-b`,
    `--insecure-registry=${REGISTRY_OUTSIDE}`,
    `--namespace=${namespace}`,
  ];
  for (const name of ['team-a', 'team-b']) {
    await fleet.namespace(name, 'baseline');
    const login = loginFor(REGISTRY_OUTSIDE, name);
    await fleet.secrets(name, { 'envbuilder-registry-pull': login, 'envbuilder-registry-push': login });
    await apply('base-images', 'base-images-read', `--namespace=${name}`);
  }
  const started = async (namespace: string): Promise<string> => {
    await apply('workspace', ...flags(namespace));
    await ready(namespace, 'envbuilder-workspace');
    const built = await exec(namespace, 'envbuilder-workspace', 'cat', '/built');
    await cluster.ok(['delete', `--namespace=${namespace}`, 'pod/envbuilder-workspace']);
    return built;
  };
  assert.equal(await started('team-b'), '1', 'it reads what was built for it');
  assert.equal(await started('team-a'), '2', 'it has to build for itself');
  const poison = printedObject(await printed('prebuild', ...flags('team-a')), 'Job');
  const spec = { ...poison.spec, backoffLimit: 0 };
  await cluster.ok(['create', '--filename=-'], JSON.stringify({ ...poison, spec }));
  const [failed] = await ended('team-a', poison.metadata?.name ?? '', 'Failed');
  assert.match(failed?.outcome ?? '', /^(?:AUTH|PUSH_FAILED)$/);
  assert.match(failed?.error?.hint ?? '', /./, 'what to do next is said');
  assert.equal(await started('team-b'), '1', 'it still does');
  const log = await cluster.ok(['logs', IN_FLEET, 'deployment/envbuilder-registry', '--tail=-1']);
  const requests = log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { user: string | null; path: string; status: number })
    .filter(({ user, path }) => user === 'team-a' && path.startsWith('/v2/team-b/'));
  assert.ok(requests.length > 0, log);
  assert.deepEqual([...new Set(requests.map(({ status }) => status))], [403]);
});

test('namespaces let in what the page says, and quotas count it', { skip }, async () => {
  const { cluster, printed, namespace } = fleet;
  const apply = async (name: string, ...args: readonly string[]) =>
    cluster.kubectl(
      ['apply', '--server-side', '--filename=-'],
      await printed(...args, NOWHERE, `--namespace=${name}`),
    );
  await namespace('restricted', 'restricted');
  const builds = ['workspace', 'prebuild'] as const;
  const others = PART_NAMES.filter((name) => !builds.some((part) => name.startsWith(part)));
  const allowed = await apply('restricted', ...others);
  assert.deepEqual([allowed.code, allowed.stderr], [0, '']);
  const refused = await apply('restricted', 'workspace');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /violates PodSecurity "restricted/);
  await namespace('counted', 'baseline');
  const hard = { 'requests.cpu': '80m', 'requests.memory': '1Gi', 'limits.memory': '10Gi', pods: 5 };
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'all' }, spec: { hard } };
  await cluster.ok(['create', '--namespace=counted', '--filename=-'], JSON.stringify(quota));
  const first = await apply('counted', 'workspace');
  assert.equal(first.code, 0, first.stderr);
  const second = await apply('counted', 'workspace', '--workspace-name=more');
  assert.match(second.stderr, /exceeded quota: all, requested: requests.cpu=50m, used: requests.cpu=50m/);
});

test('the commands of the pages do what the pages say', { skip }, async () => {
  await ensurePackages(['apache2-utils', 'openssl', 'git']);
  await kinds();
  const { cluster, namespace, ready, ended } = fleet;
  const directory = temporaryDir('operator');
  cleanUp.add(() => rmSync(directory, { recursive: true, force: true }));
  const commit = fleet.repository('app', DOCKERFILE).commit({ 'more.txt': 'more' });
  countRequests('/app');
  const pages = createPageRunner(fleet, directory, commit);
  const needs = {
    'a namespace dev': () => namespaceOnce('dev'),
    'a namespace team-a': () => namespaceOnce('team-a'),
    'no workspace': () => cluster.ok(['delete', '--namespace=docs', 'pod/envbuilder-workspace']),
    'a Compose project': async () => {
      mkdirSync(join(directory, '.devcontainer'));
      const service = { dockerComposeFile: 'compose.yml', service: 'app' };
      writeFileSync(join(directory, '.devcontainer/devcontainer.json'), JSON.stringify(service));
      const services = { app: { image: BASE }, db: { image: BASE, command: 'sleep infinity' } };
      writeFileSync(join(directory, '.devcontainer/compose.yml'), JSON.stringify({ services }));
    },
  };
  await namespace('docs', 'baseline');
  await pages.run('docs/kubernetes.md', 'docs', {
    needs,
    after: [
      [
        /k8s workspace --repository/,
        async () => {
          const jobs = ['get', '--namespace=docs', 'jobs', '--selector=app.kubernetes.io/component=prebuild'];
          const [job = ''] = (await cluster.ok([...jobs, '--output=name'])).split('\n');
          await ended('docs', job.replace('job.batch/', ''));
          await ready('docs', 'envbuilder-workspace');
        },
      ],
      [/containerStatuses/, (output) => assert.match(output, /^\{"command":"start","outcome":"ok".*\}$/m)],
    ],
  });
  await namespace('docs-fleet', 'baseline');
  const secrets = pageCommands('docs/kubernetes.md').find(({ first }) => first) ?? assert.fail();
  await pages.block(secrets, 'docs-fleet', { envbuilder: 'fleet' });
  await pages.run('docs/fleet.md', 'docs-fleet', {
    needs,
    after: [[/k8s workspace --name fleet/, () => ready('docs-fleet', 'fleet-ada')]],
  });
  await pages.run('docs/pipelines.md', 'dev', { needs });
});

/** How many pods of the same environment start at once; the longer form has more. */
const HERD = Number(process.env.ENVBUILDER_TEST_HERD ?? 8);

/** Answers requests for a page with how many there were, itself included. @returns how many there were so far */
function countRequests(path: string): () => number {
  let count = 0;
  fleet.pages.set(path, (_, response) => {
    count += 1;
    response.end(String(count));
  });
  return () => count;
}

async function evict(pod: string): Promise<void> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace: 'fleet' } };
  const path = `/api/v1/namespaces/fleet/pods/${pod}/eviction`;
  await fleet.cluster.ok(['create', `--raw=${path}`, '--filename=-'], JSON.stringify(eviction));
}

/** Makes a namespace that other tests may have made. */
async function namespaceOnce(name: string): Promise<void> {
  const { cluster, namespace } = fleet;
  if ((await cluster.kubectl(['get', 'namespace', name])).code !== 0) await namespace(name, 'baseline');
}

/** The objects that a text has, in an order of their own. */
function objectsOf(yaml: string): readonly Manifest[] {
  const key = ({ kind, metadata }: Manifest): string => `${kind}/${metadata?.name}`;
  return parseAllDocuments(yaml)
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null)
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function jobName(yaml: string): string {
  return printedObject(yaml, 'Job').metadata?.name ?? assert.fail('a Job without a name');
}

const PRIORITY = {
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name: 'low' },
  value: -10,
};
