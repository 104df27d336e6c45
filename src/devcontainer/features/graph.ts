import { AppError } from '../../core/error.ts';
import type { FeatureOptions } from '../types.ts';
import { type Comparable, isMeant, sameFeature, sameNamespace } from './compare.ts';
import type { ChosenFeature, Feature, FeatureId } from './types.ts';

/** A feature that is going to be installed, and what has to be installed before it. */
export interface GraphNode extends ChosenFeature, Comparable {
  readonly options: FeatureOptions;
  readonly aliases: readonly string[];
  /** What must be there. */
  readonly dependsOn: readonly Comparable[];
  /** What comes first if it is installed at all. */
  readonly installsAfter: readonly Pick<Comparable, 'id' | 'aliases'>[];
  /** Nodes of the highest priority among those that can be installed come first. */
  readonly priority: number;
}

export interface GraphDeps {
  /** @throws AppError DEVCONTAINER for ids that name nothing */
  readonly parse: (written: string, neededBy?: string) => FeatureId;
  /** Called as often as a feature is met; to be remembered by the caller. */
  readonly fetch: (id: FeatureId, neededBy?: string) => Promise<Feature>;
  /** The names of a feature that is not installed; undefined when they cannot be found out. */
  readonly namesOf: (id: FeatureId) => Promise<readonly string[] | undefined>;
}

interface Wanted {
  readonly id: FeatureId;
  readonly options: FeatureOptions;
  readonly neededBy?: string;
}

/**
 * All features that have to be installed, with their dependencies (Dev Container Features reference, "Build a dependency
 * graph"). A feature that is met again with the same content and options is taken once, so circles end here.
 */
export async function buildGraph(
  features: Readonly<Record<string, FeatureOptions>>,
  overrideInstallOrder: readonly string[],
  deps: GraphDeps,
): Promise<GraphNode[]> {
  const nodes: Omit<GraphNode, 'installsAfter' | 'priority'>[] = [];
  let wanted: Wanted[] = Object.entries(features).map(([written, options]) => ({
    id: deps.parse(written),
    options,
  }));
  // A level at a time: what is on it is fetched together, and taken in the order in which it was met.
  while (wanted.length > 0) {
    const level = await Promise.all(
      wanted.map(async ({ id, options, neededBy }) =>
        nodeOf({ id, options, feature: await deps.fetch(id, neededBy) }, deps),
      ),
    );
    wanted = [];
    for (const node of level) {
      if (nodes.some((other) => sameFeature(other, node))) continue;
      nodes.push(node);
      for (const dependency of node.dependsOn) wanted.push({ ...dependency, neededBy: node.id.written });
    }
  }
  const priorities = overrideInstallOrder.map((written, i) => ({
    id: deps.parse(written),
    priority: overrideInstallOrder.length - i,
  }));
  return Promise.all(
    nodes.map(async (node) => ({
      ...node,
      installsAfter: await softDependencies(node, nodes, deps),
      priority: Math.max(
        0,
        ...priorities.filter(({ id }) => isMeant(node, { id })).map((each) => each.priority),
      ),
    })),
  );
}

async function nodeOf(
  chosen: ChosenFeature,
  deps: GraphDeps,
): Promise<Omit<GraphNode, 'installsAfter' | 'priority'>> {
  const { metadata, digest } = chosen.feature;
  const { written } = chosen.id;
  const dependsOn = Object.entries(metadata.dependsOn ?? {}).map(async ([other, options]) => {
    const id = deps.parse(other, written);
    const feature = await deps.fetch(id, written);
    return { id, options, ...(feature.digest === undefined ? {} : { digest: feature.digest }) };
  });
  return {
    ...chosen,
    aliases: [metadata.id, ...(metadata.legacyIds ?? [])],
    dependsOn: await Promise.all(dependsOn),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The soft dependencies that matter: those that mean something that is going to be installed. */
async function softDependencies(
  node: ChosenFeature,
  nodes: readonly Comparable[],
  deps: GraphDeps,
): Promise<GraphNode['installsAfter']> {
  const all = (node.feature.metadata.installsAfter ?? []).map(async (written) => {
    const id = parseSoft(written, node.id.written, deps);
    if (!id) return undefined;
    if (nodes.some((other) => isMeant(other, { id }))) return { id };
    // Only a feature that was renamed can be meant by another name, and it keeps its collection.
    if (!nodes.some((other) => sameNamespace(other.id, id))) return undefined;
    const aliases = await deps.namesOf(id);
    const meant = aliases && { id, aliases };
    return meant && nodes.some((other) => isMeant(other, meant)) ? meant : undefined;
  });
  return (await Promise.all(all)).filter((each) => each !== undefined);
}

/** What an id in `installsAfter` names; one that is malformed means nothing that is installed. */
function parseSoft(written: string, neededBy: string, deps: GraphDeps): FeatureId | undefined {
  try {
    return deps.parse(written, neededBy);
  } catch (error) {
    if (error instanceof AppError && error.code === 'DEVCONTAINER') return undefined;
    throw error;
  }
}
