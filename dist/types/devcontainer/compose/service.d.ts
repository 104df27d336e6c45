import { type ComposeRequest } from './load-service.ts';
type Mapping = Readonly<Record<string, unknown>>;
export interface ComposeBuild {
    readonly context: string;
    readonly dockerfile: string;
    readonly dockerfileInline?: string;
    readonly target?: string;
    readonly args: Readonly<Record<string, string>>;
    readonly contexts: Readonly<Record<string, string>>;
    readonly labels: Readonly<Record<string, string>>;
}
export interface ComposeVolume {
    readonly type: string;
    readonly source?: string;
    readonly target: string;
}
/** What of a service makes a dev container; paths are absolute. */
export interface ComposeService {
    readonly build?: ComposeBuild;
    readonly image?: string;
    readonly platform?: string;
    readonly user?: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly volumes: readonly ComposeVolume[];
    /** The whole service, for what cannot be granted. */
    readonly all: Mapping;
    /** Keys of the build that would change the image, and that nobody honours here. */
    readonly oddBuildKeys: readonly string[];
    readonly otherServices: readonly string[];
    readonly unset: readonly string[];
}
/**
 * The service that becomes the dev container.
 * @throws AppError DEVCONTAINER when files or the service are missing or wrong, or it has neither image nor build
 */
export declare function composeService(request: ComposeRequest): ComposeService;
export {};
