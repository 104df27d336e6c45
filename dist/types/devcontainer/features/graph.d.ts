import type { FeatureOptions } from '../types.ts';
import { type Comparable } from './compare.ts';
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
/**
 * All features that have to be installed, with their dependencies (Dev Container Features reference, "Build a dependency
 * graph"). A feature that is met again with the same content and options is taken once, so circles end here.
 */
export declare function buildGraph(features: Readonly<Record<string, FeatureOptions>>, overrideInstallOrder: readonly string[], deps: GraphDeps): Promise<GraphNode[]>;
