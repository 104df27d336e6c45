import { resolve } from 'node:path';
import type { NamedContext } from '../builder/types.ts';
import { checkInside } from '../context/repository.ts';
import type { Emit } from '../core/events.ts';
import { contextName } from '../plan/named-context.ts';
import { type DockerFlag, parseDockerFlags } from './docker-arguments.ts';
import type { ReadConfig } from './read-config.ts';
import type { DefinitionBuild } from './types.ts';

/** Flags that change nothing about the image that is built. */
const HARMLESS: ReadonlySet<string> = new Set([
  '--cache-from',
  '--cache-to',
  '--progress',
  '--pull',
  '--load',
  '--rm',
  '--force-rm',
  '--compress',
  '--quiet',
  '-q',
  '--builder',
  '--provenance',
  '--sbom',
  '--tag',
]);

/** Applies `build.options`, flags of `docker build`: those that we know are honoured, the others are warned about. @throws AppError OUTSIDE */
export function applyBuildOptions(
  build: DefinitionBuild,
  { config, document, folder, roots }: Pick<ReadConfig, 'config' | 'document' | 'folder' | 'roots'>,
  emit: Emit,
): DefinitionBuild {
  const flags = parseDockerFlags(config.build?.options ?? []);
  const unknown: string[] = [];
  let result = build;
  for (const flag of flags) {
    const changed = applyFlag(result, flag, folder);
    if (changed) result = changed;
    else if (!HARMLESS.has(flag.name)) unknown.push(flag.name);
  }
  const where = document.whereOf(['build', 'options']);
  for (const [name, context] of result.contexts) {
    const property = `build.options --build-context ${name}`;
    if (context.type === 'dir') checkInside(context.path, roots, { property, where });
  }
  if (unknown.length > 0) {
    const { range } = where;
    emit({
      type: 'warning',
      code: 'DEVCONTAINER',
      text: `build.options has flags of docker build that have no effect here: ${unknown.join(', ')}`,
      ...(range === undefined ? {} : { range }),
    });
  }
  return result;
}

function applyFlag(
  build: DefinitionBuild,
  { name, value = '' }: DockerFlag,
  cwd: string,
): DefinitionBuild | undefined {
  switch (name) {
    case '--build-arg':
      return value.includes('=') ? { ...build, buildArgs: withPair(build.buildArgs, value) } : undefined;
    case '--label':
      return { ...build, labels: withPair(build.labels, value) };
    case '--target':
      return { ...build, target: value };
    case '--platform':
      return { ...build, platform: value };
    case '--build-context': {
      const [key, source] = pairOf(value);
      return {
        ...build,
        contexts: new Map([...build.contexts, [contextName(key) ?? key, contextOf(source, cwd)]]),
      };
    }
    default:
      return undefined;
  }
}

/** What a named context stands for: an image, or a directory relative to `cwd`. */
export function contextOf(source: string, cwd: string): NamedContext {
  const image = /^docker-image:\/\/(.+)$/.exec(source);
  return image ? { type: 'image', reference: image[1]! } : { type: 'dir', path: resolve(cwd, source) };
}

function withPair(map: ReadonlyMap<string, string>, text: string): ReadonlyMap<string, string> {
  return new Map([...map, pairOf(text)]);
}

function pairOf(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}
