import { join } from 'node:path';
import { temporaryDir } from '../../scripts/lib/cache-dir.ts';
import { runBuild } from '../../src/builder/build.ts';
import { runProbe } from '../../src/builder/probe.ts';
import type { BuildRequest, BuildResult, ProbeResult } from '../../src/builder/types.ts';
import type { Event } from '../../src/core/events.ts';
import { loadDefinition } from '../../src/devcontainer/load.ts';
import type { BuildDefinition, DefinitionRequest } from '../../src/devcontainer/types.ts';
import { removeDir } from './remove-dir.ts';

export interface DevcontainerBuild {
  readonly workspace: string;
  readonly definition?: Partial<DefinitionRequest>;
  readonly request?: Partial<BuildRequest>;
  /** Docker config JSON. */
  readonly dockerConfig?: string;
  readonly onEvent?: (event: Event) => void;
}

/** What became of it. */
export interface DevcontainerRun<T> {
  readonly definition: BuildDefinition;
  readonly result: T;
  readonly events: readonly Event[];
  /** Texts of the steps that were not hits. */
  readonly ran: readonly string[];
}

/** Builds the dev container of a workspace in this process, with a state of its own. */
export function buildDevcontainer(build: DevcontainerBuild): Promise<DevcontainerRun<BuildResult>> {
  return withRequest(build, runBuild);
}

/** Probes for it. */
export function probeDevcontainer(build: DevcontainerBuild): Promise<DevcontainerRun<ProbeResult>> {
  return withRequest(build, runProbe);
}

type Deps = Parameters<typeof runBuild>[1];

async function withRequest<T>(
  { workspace, definition: wanted, request, dockerConfig, onEvent }: DevcontainerBuild,
  work: (request: BuildRequest, deps: Deps) => Promise<T>,
): Promise<DevcontainerRun<T>> {
  const dir = temporaryDir('devcontainer');
  const events: Event[] = [];
  const deps: Deps = {
    emit: (event) => {
      events.push(event);
      onEvent?.(event);
    },
    signal: new AbortController().signal,
  };
  const registries = {
    insecure: false,
    mirrors: [],
    dockerConfigPaths: [],
    helperEnv: {},
    proxy: {},
    ...(dockerConfig === undefined ? {} : { dockerConfigJson: dockerConfig }),
  };
  const common = { registries, stateDir: join(dir, 'state') };
  try {
    const definition = await loadDefinition(
      { workspaceFolder: workspace, env: {}, inContainer: false, lockfile: 'ignore', ...common, ...wanted },
      deps,
    );
    const result = await work(
      {
        secrets: [],
        ssh: [],
        tags: [],
        cacheTtlDays: 7,
        cacheWaitMs: 0,
        noCache: false,
        push: false,
        failOnPushError: true,
        outputs: [],
        compression: 'zstd',
        workDir: join(dir, 'work'),
        proxyEnv: {},
        ...common,
        ...definition.build,
        ...request,
      },
      deps,
    );
    return { definition, result, events, ran: stepsRun(events) };
  } finally {
    removeDir(dir);
  }
}

function stepsRun(events: readonly Event[]): string[] {
  const texts = new Map<string, string>();
  const ran: string[] = [];
  for (const event of events) {
    if (event.type === 'step-planned') texts.set(`${event.id.stage}.${event.id.step}`, event.text);
    if (event.type === 'step-finished' && event.outcome !== 'hit' && event.outcome !== 'skipped')
      ran.push(texts.get(`${event.id.stage}.${event.id.step}`) ?? '');
  }
  return ran;
}
