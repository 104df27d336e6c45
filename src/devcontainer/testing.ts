import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RegistryAccess } from '../builder/registry-access.ts';
import { AppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import type { ContainerConfig, Image } from '../oci/types.ts';
import type { Machine } from '../sys/machine.ts';
import { loadDefinition } from './load.ts';
import type { BuildDefinition, DefinitionRequest } from './types.ts';

/** A workspace and the images that its files name. */
export interface TestWorkspace {
  readonly files: Readonly<Record<string, string | object>>;
  readonly images?: Readonly<Record<string, ContainerConfig>>;
  readonly request?: Partial<DefinitionRequest>;
  /** What the container has been given; otherwise nothing. */
  readonly machine?: Partial<Machine>;
}

/** A definition and what was said on the way. */
export interface TestDefinition extends BuildDefinition {
  readonly folder: string;
  readonly warnings: readonly string[];
}

/** Loads the definition of a workspace that exists for the time of the call. Objects become JSON. */
export async function definitionOf(workspace: TestWorkspace): Promise<TestDefinition> {
  return withWorkspace(workspace.files, async (folder) => {
    const events: Event[] = [];
    const definition = await loadDefinition(
      { ...testRequest(folder), ...workspace.request },
      {
        emit: (event) => events.push(event),
        signal: new AbortController().signal,
        registries: fakeRegistries(workspace.images ?? {}),
        machine: { ...BARE_MACHINE, ...workspace.machine },
      },
    );
    return { ...definition, folder, warnings: warningsOf(events) };
  });
}

/** A machine that has been given nothing. */
const BARE_MACHINE: Machine = {
  hasCapability: () => false,
  isMounted: () => false,
  hasSecurityOption: () => false,
  knowsHost: () => false,
  hasInit: () => false,
  hasGpu: () => false,
  cpus: () => 0,
  memory: () => 0,
  storage: () => 0,
};

/** What a workspace is read with when a test does not mind. */
export function testRequest(workspaceFolder: string): DefinitionRequest {
  return {
    workspaceFolder,
    env: {},
    inContainer: false,
    platform: 'linux/amd64',
    registries: { insecure: false, mirrors: [], dockerConfigPaths: [], helperEnv: {}, proxy: {} },
    stateDir: join(workspaceFolder, '..', 'state'),
    lockfile: 'ignore',
  };
}

/** Runs `work` with a directory that holds these files, and removes it. */
export async function withWorkspace<T>(
  files: TestWorkspace['files'],
  work: (folder: string) => Promise<T> | T,
): Promise<T> {
  const parent = mkdtempSync(join(tmpdir(), 'devcontainer-'));
  const folder = join(parent, 'project');
  try {
    mkdirSync(folder);
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
    return await work(folder);
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

/** The texts of warnings, with their hints. */
export function warningsOf(events: readonly Event[]): readonly string[] {
  return events.flatMap((event) =>
    event.type === 'warning' ? [event.hint === undefined ? event.text : `${event.text} (${event.hint})`] : [],
  );
}

/** Registries that hold these images and nothing else. */
export function fakeRegistries(
  images: Readonly<Record<string, ContainerConfig>>,
): Pick<RegistryAccess, 'resolveImage' | 'open' | 'download'> {
  return {
    open: () => {
      throw new AppError('REGISTRY', 'this test has no registry');
    },
    download: async () => {
      throw new AppError('REGISTRY', 'this test has no network');
    },
    resolveImage: async (name, platform) => {
      const config = images[name];
      if (!config) throw new AppError('REFERENCE', `there is no image ${name}`);
      const full = { ...platform, config, rootfs: { type: 'layers' as const, diff_ids: [] } };
      return { reference: name, config: full, parsed: { layers: [] } } as unknown as Image;
    },
  };
}
