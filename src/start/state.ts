import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { makeDirectories } from '../core/make-directories.ts';
import { readJsonIfThere } from '../core/read-json.ts';
import type { ContainerConfig } from '../oci/types.ts';
import type { StartedDevcontainer } from './types.ts';

/** What an earlier start of this container has left: `built` in our directory. */
export interface BuiltState {
  readonly config: ContainerConfig;
  readonly devcontainer: StartedDevcontainer;
  /** The hooks that have succeeded since the root file system was new, and of which commit of the workspace; '' for none. */
  readonly done: Readonly<Record<string, string>>;
  /** What the user's shell gave other values, and which shell of which user that was. */
  readonly shell?: { readonly of: string; readonly added: Readonly<Record<string, string>> };
}

/** What a pushed image says about itself: `image` in our directory. */
export interface ImageState {
  readonly config: ContainerConfig;
  /** The devcontainer.json that it was built from, relative to the workspace. */
  readonly devcontainerFile?: string;
  /** Whether that file itself gives a containerUser. */
  readonly ownContainerUser: boolean;
}

const VERSION = 1;
const built = v.object({
  version: v.literal(VERSION),
  config: v.looseObject({}),
  devcontainer: v.looseObject({
    containerEnv: v.record(v.string(), v.string()),
    hooks: v.record(v.string(), v.array(v.looseObject({ origin: v.string() }))),
  }),
  done: v.record(v.string(), v.string()),
  shell: v.optional(v.object({ of: v.string(), added: v.record(v.string(), v.string()) })),
});
const image = v.object({
  version: v.literal(VERSION),
  config: v.looseObject({}),
  start: v.optional(
    v.looseObject({
      devcontainerFile: v.optional(v.string()),
      ownContainerUser: v.optional(v.boolean()),
    }),
  ),
});

/** The state of the container's last start; undefined when there was none, or another program wrote it. */
export function readBuilt(ownDir: string): BuiltState | undefined {
  const found = v.safeParse(built, readJsonIfThere(join(ownDir, 'built')));
  return found.success ? (found.output as unknown as BuiltState) : undefined;
}

/** Writes the state of a start, whole or not at all; only root can read it. */
export function writeBuilt(ownDir: string, { config, devcontainer, done, shell }: BuiltState): void {
  const path = join(ownDir, 'built');
  const state = { version: VERSION, config, devcontainer, done, shell };
  makeDirectories(dirname(path));
  writeFileSync(`${path}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Forgets the last start, before the root file system becomes another. */
export function removeBuilt(ownDir: string): void {
  rmSync(join(ownDir, 'built'), { force: true });
}

/** Says that a start has come to its end and the init command is there, or that it is under way again; for probes. */
export function markStarted(ownDir: string, started: boolean): void {
  const path = join(ownDir, 'started');
  if (!started) return rmSync(path, { force: true });
  makeDirectories(ownDir);
  writeFileSync(path, '');
}

/** What the image that the container was started from says about itself; undefined unless it is one that we pushed. */
export function readImage(ownDir: string): ImageState | undefined {
  const found = v.safeParse(image, readJsonIfThere(join(ownDir, 'image')));
  if (!found.success) return undefined;
  const { config, start } = found.output;
  const file = start?.devcontainerFile;
  return {
    config: config as ContainerConfig,
    ownContainerUser: start?.ownContainerUser ?? false,
    ...(file === undefined ? {} : { devcontainerFile: file }),
  };
}
