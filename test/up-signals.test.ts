/*
 * SIGINT and SIGTERM end `envbuilder up` and `envbuilder down`, whatever they wait for: with the exit code of an end by a
 * signal, with all that they have started, and so that the next `up` goes on.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { type CliResult, envbuilder } from './support/envbuilder.ts';
import { useEnvironment } from './support/environment.ts';
import {
  type Phase,
  type PhaseOptions,
  starts,
  tryPhase,
  useSilentServer,
  withSignals,
} from './support/phases.ts';
import type { Sandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry']);
const silent = useSilentServer();

before(() => ensurePackages(['util-linux']));

const fill = (text: string): string =>
  text
    .replaceAll('SILENT', silent.host)
    .replaceAll('BASE', `${environment.services.registry!.host}/busybox:1`);
const own = (box: Sandbox) => ({ HOME: box.dir, ENVBUILDER_CONTAINERS_DIR: box.path('containers') });
const eb = (box: Sandbox, ...args: string[]): Promise<CliResult> => envbuilder(args, { env: own(box) });
const CONFIG = '.devcontainer/devcontainer.json';

/** A script that nothing but SIGKILL ends, with a child that has left its process group's leader behind. */
const stubborn = (seconds: number): string => `trap '' TERM INT HUP; sleep ${seconds} & sleep ${seconds}`;

function config(more: object): Readonly<Record<string, string>> {
  return { [CONFIG]: JSON.stringify({ image: 'BASE', ...more }) };
}

/** A project whose dev container waits for the service `a`. */
function project(condition: string, a: object): Readonly<Record<string, string>> {
  const depends_on = { a: { condition } };
  return {
    [CONFIG]: JSON.stringify({ dockerComposeFile: 'compose.yml', service: 'app', workspaceFolder: '/' }),
    '.devcontainer/compose.yml': JSON.stringify({
      services: { app: { image: 'BASE', depends_on }, a: { image: 'BASE', stop_grace_period: '1h', ...a } },
    }),
  };
}

/** The container of the box's folder runs, and was made by an earlier `up` whose hook found no file. */
async function runs(box: Sandbox): Promise<void> {
  const { code, output } = await eb(box, 'up', box.context);
  assert.equal(code, 0, output);
  box.write({ held: '' });
}

const up = (...args: readonly string[]) => ({
  args: (box: Sandbox): readonly string[] => ['up', '--insecure', ...args, box.context],
  env: own,
});

const RUNS_ALREADY = 'a hook in a container that runs already';

const PHASES: readonly Phase[] = [
  {
    name: 'asks a registry for the image',
    ...up(),
    files: config({ image: 'SILENT/x:1' }),
    reached: silent.connected,
  },
  {
    name: 'initializeCommand',
    ...up(),
    files: config({ initializeCommand: stubborn(223401) }),
    reached: starts('sleep 223401'),
  },
  {
    name: 'a feature is built',
    ...up(),
    files: {
      ...config({ features: { './f': {} } }),
      '.devcontainer/f/devcontainer-feature.json': '{ "id": "f", "version": "1.0.0", "name": "f" }',
      '.devcontainer/f/install.sh': `#!/bin/sh\n${stubborn(223402)}\n`,
    },
    reached: starts('sleep 223402'),
  },
  {
    name: 'a hook in a new container',
    ...up(),
    files: config({ onCreateCommand: stubborn(223403) }),
    reached: starts('sleep 223403'),
  },
  {
    name: RUNS_ALREADY,
    ...up(),
    files: config({ postAttachCommand: `[ ! -e held ] || { ${stubborn(223404)}; }` }),
    prepare: runs,
    reached: starts('sleep 223404'),
  },
  {
    name: 'clones dotfiles',
    ...up('--dotfiles-repository=https://host/me/dots'),
    files: {
      ...config({ image: undefined, build: { dockerfile: 'Dockerfile' } }),
      '.devcontainer/Dockerfile': `FROM BASE\nRUN printf '%s\\n' '#!/bin/sh' "${stubborn(223406)}" > /bin/git && chmod +x /bin/git\n`,
    },
    reached: starts('sleep 223406'),
  },
  {
    name: 'the health check of a service',
    ...up(),
    files: project('service_healthy', {
      command: 'sleep 1000',
      healthcheck: { test: stubborn(223407), timeout: '1h' },
    }),
    reached: starts('sleep 223407'),
  },
  {
    name: 'waits for the work of a service',
    ...up(),
    files: project('service_completed_successfully', { command: ['sh', '-c', stubborn(223408)] }),
    reached: starts('sleep 223408'),
  },
  {
    name: 'an engine that does not answer',
    ...up('--docker'),
    files: config({}),
    prepare: (box) => {
      mkdirSync(box.path('bin'));
      writeFileSync(box.path('bin/docker'), `#!/bin/sh\n${stubborn(223409)}\n`, { mode: 0o755 });
    },
    env: (box) => ({ ...own(box), PATH: `${box.path('bin')}:${process.env.PATH}` }),
    reached: starts('sleep 223409'),
  },
];

/** Those that leave a container in different states of being made: the next `up` goes on from there. */
const GOES_ON = [
  'asks a registry for the image',
  'a hook in a new container',
  'the health check of a service',
];

const OPTIONS: PhaseOptions = {
  fill,
  missing: () => undefined,
  later: async (box, { name }) => {
    if (name === RUNS_ALREADY) assert.equal(await status(box), 'running');
    // Hooks of a container that is there are those that it was made with.
    box.write({ [CONFIG]: fill('{ "image": "BASE", "postCreateCommand": "true" }') });
    const up = GOES_ON.includes(name) ? [['up', '--remove-existing-container', box.context]] : [];
    for (const args of [...up, ['down', '--all']]) {
      const { code, output } = await eb(box, ...args);
      assert.equal(code, 0, output);
    }
    box.assertClean();
  },
};

for (const [phase, signal] of withSignals(PHASES))
  test(`up: ${phase.name}: ${signal}`, (t) => tryPhase(t, [phase, signal], OPTIONS));

/** Of the only container. */
async function status(box: Sandbox): Promise<unknown> {
  const { stdout, code, output } = await eb(box, 'list', '--output=json');
  assert.equal(code, 0, output);
  const [container] = JSON.parse(stdout) as { readonly status: string }[];
  return container?.status;
}
