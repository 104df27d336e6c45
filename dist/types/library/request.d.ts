import type { BuildRequest, RegistrySettings } from '../builder/types.ts';
import type { Event } from '../core/events.ts';
/** A map, or an object that stands for one. */
export type Mapping<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>>;
type Mapped = 'contexts' | 'labels' | 'buildArgs';
/** What is built. Only the context is needed; everything else is a field of BuildRequest, and has the default named here. */
export interface BuildOptions extends Partial<Omit<BuildRequest, Mapped | 'context' | 'registries'>> {
    /** The context directory; a relative path is taken from the current directory. */
    readonly context: string;
    readonly contexts?: Mapping<BuildRequest['contexts'] extends ReadonlyMap<string, infer T> ? T : never>;
    readonly labels?: Mapping<string>;
    readonly buildArgs?: Mapping<string>;
    readonly registries?: Partial<RegistrySettings>;
}
/** What every function of the library takes besides its request. */
export interface RunOptions {
    /** Called for all that happens, as it happens; must not throw. */
    readonly onEvent?: (event: Event) => void;
    /** Ends the work: it rejects with AppError ABORTED or the signal's reason, and removes what is half done. */
    readonly signal?: AbortSignal;
}
/** The listener and the signal, made up where they are left out. @throws the reason of a signal that has been given */
export declare function runDeps({ onEvent, signal }: RunOptions): {
    readonly emit: (event: Event) => void;
    readonly signal: AbortSignal;
};
/**
 * A whole request: the Dockerfile of the context, no outputs, nothing pushed, records of the last 7 days, layers in zstd,
 * working files and cache mounts below `~/.cache/envbuilder`, registries with the credentials of Docker's own config.
 * Nothing is read from the environment but HOME, PATH and XDG_CACHE_HOME.
 */
export declare function buildRequest(options: BuildOptions): BuildRequest;
/** Settings with Docker's own places for credentials and certificates where nothing else is named. */
export declare function registrySettings(settings?: Partial<RegistrySettings>): RegistrySettings;
/** Where cache mounts and hashes of files are kept unless another directory is named. */
export declare function defaultStateDir(): string;
export {};
