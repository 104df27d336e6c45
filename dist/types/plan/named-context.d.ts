import type { NamedContext, PlanInput } from './inputs.ts';
/**
 * The name by which a named context is found: names of images are compared as Docker shows them, so that `alpine`,
 * `docker.io/library/alpine` and `alpine:latest` are one. Undefined for what cannot be such a name.
 */
export declare function contextName(text: string): string | undefined;
/** What is wrong with deferred files where a whole tree is needed at once. */
export declare function onlyMounts(name: string): string;
/** A context that the caller named, with its normalised name. */
export type FoundContext = NamedContext & {
    readonly name: string;
};
/** The named context that stands for a stage's name or an image's. */
export declare function findContext({ contexts }: Pick<PlanInput, 'contexts'>, text: string | undefined): FoundContext | undefined;
