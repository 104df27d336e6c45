import { runtimeImage } from '../../scripts/lib/runtime-image.ts';
import type { Containers } from './containers.ts';
import type { Measured, MeasureOptions, OurRun } from './measure.ts';
import type { PeerPaths } from './peer-paths.ts';
import type { Work } from './works.ts';

/** A program that turns its own container into what a Dockerfile says. */
export interface Starter<Run extends Measured = Measured> {
  readonly name: string;
  readonly version: string;
  /** From `docker run` to the command of the started environment; to the program's end, if it starts none. */
  start(work: Work, repository: string, options: { readonly push: boolean }): Promise<Run>;
  /** From `docker run` until it has said that all is cached; left out where a program has no such thing. */
  probe?(work: Work, repository: string): Promise<Run>;
}

const WORKSPACE = '/workspaces/bench';
const READY: MeasureOptions = { until: /^ready\r?$/m };

/** Ours: the runtime image of this checkout. */
export async function ownStarter(
  containers: Containers,
  registry: { readonly host: string },
): Promise<Starter<OurRun>> {
  const { tar, reference } = await runtimeImage(registry);
  await containers.load(tar);
  const json = { PROGRESS: 'json' };
  return {
    name: 'ours',
    version: await containers.versionOf(reference, ['--version']),
    start: (work, repository, { push }) =>
      containers.runOurs([...settings(work, repository, { ...json, ...pushing(push) }), reference], READY),
    probe: (work, repository) =>
      containers.runOurs([...settings(work, repository, { ...json, ...PROBE }), reference]),
  };
}

/** The peers whose programs are given. */
export async function peerStarters(containers: Containers, paths: PeerPaths): Promise<readonly Starter[]> {
  return [
    ...(paths.kaniko ? [await kaniko(containers, paths.kaniko)] : []),
    ...(paths.envbuilder ? [await goEnvbuilder(containers, paths.envbuilder)] : []),
  ];
}

/** In an image as its documentation describes: the program, the variable that it checks, and the entry point. */
async function goEnvbuilder(containers: Containers, program: string): Promise<Starter> {
  const image = await containers.make('bench-envbuilder-go', program, [
    'COPY program /.envbuilder/bin/envbuilder',
    'ENV KANIKO_DIR=/.envbuilder',
    'ENTRYPOINT ["/.envbuilder/bin/envbuilder"]',
  ]);
  return {
    name: 'envbuilder (Go)',
    version: await containers.versionOf(image, []),
    start: (work, repository, { push }) =>
      containers.run([...settings(work, `${repository}-go`, pushing(push)), image], READY),
    probe: (work, repository) => containers.run([...settings(work, `${repository}-go`, PROBE), image]),
  };
}

/** Where its own image has it, since it leaves that directory alone. It starts nothing: it ends when the image is made. */
async function kaniko(containers: Containers, program: string): Promise<Starter> {
  const image = await containers.make('bench-kaniko', program, [
    'COPY program /kaniko/executor',
    'ENV HOME=/root USER=root PATH=/usr/local/bin:/kaniko DOCKER_CONFIG=/kaniko/.docker/',
    'WORKDIR /workspace',
    'ENTRYPOINT ["/kaniko/executor"]',
  ]);
  return {
    name: 'kaniko',
    version: await containers.versionOf(image, ['version']),
    start: (work, repository, { push }) =>
      containers.run([
        `--volume=${work.context}:/workspace`,
        image,
        '--context=dir:///workspace',
        '--dockerfile=/workspace/Dockerfile',
        '--cache=true',
        '--cache-copy-layers=true',
        `--cache-repo=${repository}-kaniko-cache`,
        push ? `--destination=${repository}-kaniko:1` : '--no-push',
      ]),
  };
}

const PROBE = { PUSH_IMAGE: 'true', GET_CACHED_IMAGE: 'true' };

function pushing(push: boolean): Readonly<Record<string, string>> {
  return push ? { PUSH_IMAGE: 'true' } : {};
}

/** What both programs called envbuilder understand. */
function settings(work: Work, repository: string, more: Readonly<Record<string, string>>): string[] {
  const values = {
    WORKSPACE_FOLDER: WORKSPACE,
    DOCKERFILE_PATH: 'Dockerfile',
    BUILD_CONTEXT_PATH: '.',
    CACHE_REPO: repository,
    INIT_SCRIPT: 'echo ready',
    EXIT_ON_BUILD_FAILURE: 'true',
    ...more,
  };
  return [
    `--volume=${work.context}:${WORKSPACE}`,
    ...Object.entries(values).map(([name, value]) => `--env=ENVBUILDER_${name}=${value}`),
  ];
}
