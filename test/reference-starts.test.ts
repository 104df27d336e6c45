import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { dockerCompose } from '../scripts/lib/docker-compose.ts';
import { type Container, useContainers, WORKSPACE } from './support/container.ts';
import { projectRoot } from './support/envbuilder.ts';
import { dockerForReference, referenceCli } from './support/reference-cli.ts';

/**
 * Starts of dev containers by `devcontainer up` and by us: which hooks run, in which order, by whom, in which environment,
 * and which of them again when the container is started once more. The kinds are those of the reference's own tests.
 */

const containers = useContainers();

interface Row {
  readonly config: object;
  /** Beside devcontainer.json. */
  readonly files?: Readonly<Record<string, string>>;
  readonly compose?: true;
  /** A hook fails: the reference ends with an error and does not run it again, and we do both otherwise (docs/start.md). */
  readonly fails?: { readonly againInReference: readonly string[] };
  /** Of the first start, as both write it; lines of commands that run at the same time stand sorted. */
  readonly first: readonly string[];
  /** Of the second start of the same container. */
  readonly again: readonly string[];
}

/** Says who runs a hook, where, and what it sees. */
const SAY = `#!/bin/sh
echo "$1: $(id -un) in $PWD, \${REMOTE-none} \${CONTAINER-none} \${PROBED-none}" >>${WORKSPACE}/log
exit "\${2:-0}"
`;

/** What the page about starts says of hooks that fail. */
const DOCUMENTED = [
  /later ones are then not run, and the start goes on/,
  /One that failed, and those that were left out because of it, are run in the next start/,
];

const say = (name: string, code = 0): string => `sh ${WORKSPACE}/say ${name} ${code}`;
const HOOKS = [
  'onCreateCommand',
  'updateContentCommand',
  'postCreateCommand',
  'postStartCommand',
  'postAttachCommand',
] as const;
/** All hooks, whose names begin so. */
const hooks = (prefix: string): object =>
  Object.fromEntries(HOOKS.map((hook) => [hook, say(`${prefix}-${hook.slice(0, -'Command'.length)}`)]));
const names = (...hooksOf: readonly string[]): readonly string[] =>
  ['onCreate', 'updateContent', 'postCreate', 'postStart', 'postAttach'].flatMap((hook) =>
    hooksOf.map((prefix) => `${prefix}-${hook}`),
  );
const AGAIN = (...hooksOf: readonly string[]): readonly string[] =>
  ['postStart', 'postAttach'].flatMap((hook) => hooksOf.map((prefix) => `${prefix}-${hook}`));

/** A text that somebody on the way could take for more. */
const ODD = `c"on't \\tai$ner  \${x} \`\`,;#&`;

/** The same for Compose, where the reference hands variables on as they are. */
const WITHOUT_VARIABLES = ODD.replaceAll('$', '');

const METADATA = [{ ...hooks('image'), remoteEnv: { REMOTE: 'image' }, remoteUser: 'user' }];

const ROWS: Readonly<Record<string, Row>> = {
  'an image; users, environments, and commands at the same time': {
    config: {
      image: '@IMAGE@',
      remoteUser: 'user',
      remoteEnv: { REMOTE: `of \${containerEnv:CONTAINER}` },
      containerEnv: { CONTAINER: ODD },
      ...hooks('own'),
      updateContentCommand: ['sh', `${WORKSPACE}/say`, 'list-of-words'],
      postCreateCommand: { b: say('parallel-b'), a: ['sh', `${WORKSPACE}/say`, 'parallel-a'] },
    },
    first: [
      `own-onCreate: user in ${WORKSPACE}, of ${ODD} ${ODD} none`,
      `list-of-words: user in ${WORKSPACE}, of ${ODD} ${ODD} none`,
      `parallel-a: user in ${WORKSPACE}, of ${ODD} ${ODD} none`,
      `parallel-b: user in ${WORKSPACE}, of ${ODD} ${ODD} none`,
      ...AGAIN('own').map((name) => `${name}: user in ${WORKSPACE}, of ${ODD} ${ODD} none`),
    ],
    again: AGAIN('own').map((name) => `${name}: user in ${WORKSPACE}, of ${ODD} ${ODD} none`),
  },
  'a Dockerfile on an image with a label, a local feature and the file itself; a probed shell': {
    config: {
      build: { dockerfile: 'Dockerfile' },
      features: { './feature': {} },
      remoteEnv: { REMOTE: 'own' },
      userEnvProbe: 'loginShell',
      ...hooks('own'),
    },
    files: {
      Dockerfile:
        'FROM @LABELLED@\nENV CONTAINER=dockerfile\nRUN echo "export PROBED=profile" >/home/user/.profile && chown user /home/user/.profile\n',
      'feature/devcontainer-feature.json': JSON.stringify({
        id: 'feature',
        version: '1.0.0',
        name: 'Feature',
        ...hooks('feature'),
      }),
      'feature/install.sh': '#!/bin/sh\ntrue\n',
    },
    first: names('image', 'feature', 'own').map(
      (name) => `${name}: user in ${WORKSPACE}, own dockerfile profile`,
    ),
    again: AGAIN('image', 'feature', 'own').map(
      (name) => `${name}: user in ${WORKSPACE}, own dockerfile profile`,
    ),
  },
  'a hook that fails': {
    config: { image: '@IMAGE@', remoteUser: 'user', ...hooks('own'), updateContentCommand: say('fails', 3) },
    fails: {
      againInReference: ['own-postCreate', ...AGAIN('own')].map(
        (name) => `${name}: user in ${WORKSPACE}, none none none`,
      ),
    },
    first: [
      `own-onCreate: user in ${WORKSPACE}, none none none`,
      `fails: user in ${WORKSPACE}, none none none`,
    ],
    again: [`fails: user in ${WORKSPACE}, none none none`],
  },
  'one of the commands at the same time fails; root; a hook to wait for': {
    config: {
      image: '@IMAGE@',
      containerUser: 'root',
      waitFor: 'onCreateCommand',
      userEnvProbe: 'none',
      onCreateCommand: say('on-create'),
      postCreateCommand: { a: say('parallel-a', 4), b: say('parallel-b') },
      postStartCommand: say('post-start'),
    },
    fails: { againInReference: [`post-start: root in ${WORKSPACE}, none none none`] },
    first: [
      `on-create: root in ${WORKSPACE}, none none none`,
      `parallel-a: root in ${WORKSPACE}, none none none`,
      `parallel-b: root in ${WORKSPACE}, none none none`,
    ],
    again: [
      `parallel-a: root in ${WORKSPACE}, none none none`,
      `parallel-b: root in ${WORKSPACE}, none none none`,
    ],
  },
  'a service with a Dockerfile, a target, a local feature and variables of two files': {
    compose: true,
    config: {
      dockerComposeFile: ['compose.yml', 'more.yml'],
      service: 'app',
      features: { './feature': { text: 'of file' } },
      remoteUser: 'user',
      containerEnv: { TEXT: WITHOUT_VARIABLES },
      remoteEnv: { REMOTE: `\${containerEnv:FEATURE} \${containerEnv:TEXT}` },
      ...hooks('own'),
      postStartCommand: { 'with spaces': ['/bin/sh', '-i', '-c', say('own-postStart')] },
    },
    files: {
      'compose.yml': `services:\n  app:\n    build: { context: ., dockerfile: Dockerfile, target: wanted, network: host }\n    network_mode: host\n    volumes: ["..:${WORKSPACE}"]\n    environment: { CONTAINER: first }\n`,
      'more.yml':
        'services:\n  app:\n    command: tail -f /dev/null\n    environment: ["CONTAINER=second"]\n',
      Dockerfile: 'FROM @IMAGE@ AS wanted\nRUN true\nFROM wanted\nRUN exit 1\n',
      'feature/devcontainer-feature.json': JSON.stringify({
        ...{ id: 'feature', version: '1.0.0', name: 'Feature', containerEnv: { FEATURE: 'feature' } },
        options: { text: { type: 'string', default: '' } },
        postCreateCommand: say('feature-postCreate'),
      }),
      'feature/install.sh': '#!/bin/sh\n[ "$TEXT" = "of file" ]\n',
    },
    first: ['own-onCreate', 'own-updateContent', 'feature-postCreate', 'own-postCreate', ...AGAIN('own')].map(
      (name) => `${name}: user in ${WORKSPACE}, feature ${WITHOUT_VARIABLES} second none`,
    ),
    again: AGAIN('own').map(
      (name) => `${name}: user in ${WORKSPACE}, feature ${WITHOUT_VARIABLES} second none`,
    ),
  },
  'a service of a Compose project': {
    compose: true,
    config: { dockerComposeFile: 'compose.yml', service: 'app', ...hooks('own') },
    files: {
      'compose.yml': `services:\n  app:\n    image: "@IMAGE@"\n    user: user\n    network_mode: host\n    command: tail -f /dev/null\n    environment: { CONTAINER: compose }\n    volumes: ["..:${WORKSPACE}"]\n`,
    },
    first: names('own').map((name) => `${name}: user in ${WORKSPACE}, none compose none`),
    again: AGAIN('own').map((name) => `${name}: user in ${WORKSPACE}, none compose none`),
  },
};

const labelled = (): string => `${containers.services.registry!.host}/reference-starts/labelled:1`;

/** An image whose label is metadata. */
async function pushLabelled(): Promise<void> {
  const image = `${containers.services.registry!.host}/busybox:1`;
  const label = JSON.stringify(METADATA).replaceAll('"', '\\"');
  const context = containers.directory({
    Dockerfile: `FROM ${image}\nLABEL devcontainer.metadata="${label}"\n`,
  });
  for (const args of [
    ['build', '--quiet', `--tag=${labelled()}`, context],
    ['push', '--quiet', labelled()],
  ]) {
    const { code, stderr } = await containers.docker(args);
    assert.equal(code, 0, stderr);
  }
}

/** A workspace that everybody may write. */
function workspace({ config, files = {}, compose }: Row): string {
  const place = containers.directory({});
  const image = `${containers.services.registry!.host}/busybox:1`;
  const own = compose
    ? { workspaceFolder: WORKSPACE }
    : {
        workspaceFolder: WORKSPACE,
        workspaceMount: `type=bind,source=\${localWorkspaceFolder},target=${WORKSPACE}`,
      };
  const document = { updateRemoteUserUID: false, ...own, ...config };
  const all = { ...files, 'devcontainer.json': JSON.stringify(document) };
  for (const [name, text] of Object.entries(all)) {
    const path = join(place, '.devcontainer', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.replaceAll('@IMAGE@', image).replaceAll('@LABELLED@', labelled()));
  }
  writeFileSync(join(place, 'say'), SAY);
  chmodSync(place, 0o777);
  return place;
}

/** What hooks have said since the last time. */
function takeLog(place: string): readonly string[] {
  const file = join(place, 'log');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  rmSync(file, { force: true });
  // Only neighbours that ran at the same time have no order.
  return lines.toSorted((a, b) =>
    a.startsWith('parallel') && b.startsWith('parallel') ? (a < b ? -1 : 1) : 0,
  );
}

/** The hook for editors runs beside the init command: it ends behind the last one, where that runs at all. */
const INIT = `if grep -q postStart ${WORKSPACE}/log; then until grep -q own-postAttach ${WORKSPACE}/log; do sleep 0.1; done; fi`;

interface Start {
  readonly log: readonly string[];
  readonly failed: boolean;
  readonly output: string;
}

async function theirs(row: Row): Promise<readonly [Start, Start]> {
  const place = workspace(row);
  const { docker, dir } = containers.services as Required<typeof containers.services>;
  const command = dockerForReference(docker, place);
  const up = async (): Promise<Start> => {
    const { code, stdout, output } = await referenceCli(
      [
        'up',
        `--docker-path=${command}`,
        `--workspace-folder=${place}`,
        ...(row.compose ? [`--docker-compose-path=${await dockerCompose(dir)}`] : []),
      ],
      { env: { ...docker.env, DOCKER_BUILDKIT: '1' } },
    );
    const answer = /^\{.*"outcome".*\}$/m.exec(stdout)?.[0] ?? '{}';
    const { outcome } = JSON.parse(answer) as { outcome?: string };
    assert.equal(outcome, code === 0 ? 'success' : 'error', output);
    return { log: takeLog(place), failed: code !== 0, output };
  };
  const first = await up();
  const [id = ''] = (
    await containers.docker(['ps', '--quiet', `--filter=label=devcontainer.local_folder=${place}`])
  ).stdout
    .toString()
    .trim()
    .split('\n');
  assert.notEqual(id, '', first.output);
  await containers.docker(['stop', '--time=0', id]);
  const second = await up();
  await containers.docker(['rm', '--force', id]);
  return [first, second];
}

async function ours(row: Row): Promise<readonly [Start, Start]> {
  const place = workspace(row);
  const container: Container = await containers.start({
    docker: [`--volume=${place}:${WORKSPACE}`],
    env: {
      ENVBUILDER_SKIP_REBUILD: 'true',
      ENVBUILDER_RUN_ATTACH: 'true',
      // Hooks that nobody waits for are over when the last of them is.
      ENVBUILDER_WAIT_FOR: 'all',
      ENVBUILDER_INIT_SCRIPT: INIT,
    },
  });
  const ended = async (): Promise<Start> => {
    const code = await container.end();
    return { log: takeLog(place), failed: code !== 0, output: await container.logs() };
  };
  const first = await ended();
  await container.docker('start');
  return [first, await ended()];
}

test('the page has every kind that is compared', () => {
  const page = readFileSync(join(projectRoot, 'docs/dev-containers.md'), 'utf8');
  for (const [name, { fails }] of Object.entries(ROWS))
    assert.ok(page.includes(`| ${name} | ${fails === undefined ? 'the same' : 'differs: '}`), name);
});

let pushed: Promise<void> | undefined;

for (const [name, row] of Object.entries(ROWS))
  test(`as the reference: ${name}`, async (t) => {
    if (containers.missing !== undefined) return t.skip(containers.missing);
    pushed ??= pushLabelled();
    await pushed;
    const [reference, own] = await Promise.all([theirs(row), ours(row)]);
    const { first, again, fails } = row;
    const said = (i: 0 | 1): string => `start ${i + 1}\n${reference[i].output}\n${own[i].output}`;
    assert.deepEqual(reference[0].log, first, `the reference, ${said(0)}`);
    assert.deepEqual(own[0].log, first, `ours, ${said(0)}`);
    assert.deepEqual([reference[0].failed, own[0].failed], [fails !== undefined, false], said(0));
    assert.deepEqual(reference[1].log, fails?.againInReference ?? again, `the reference, ${said(1)}`);
    assert.deepEqual(own[1].log, again, `ours, ${said(1)}`);
    assert.deepEqual([reference[1].failed, own[1].failed], [false, false], said(1));
    if (fails === undefined) return;
    const page = readFileSync(join(projectRoot, 'docs/start.md'), 'utf8');
    for (const sentence of DOCUMENTED) assert.match(page, sentence);
  });
