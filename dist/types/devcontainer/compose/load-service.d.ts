import type { Environment } from '../../core/environment.ts';
import { type Where } from '../../core/error.ts';
type Mapping = Readonly<Record<string, unknown>>;
/** A service put together from all files, in long forms, with absolute paths. */
export interface MergedService {
    readonly name: string;
    readonly service: Mapping;
    /** The names of all services of the project, this one included. */
    readonly services: readonly string[];
    /** What `${NAME}` and names without a value stand for. */
    readonly env: Environment;
    /** Variables that were used and are not set. */
    readonly unset: readonly string[];
    /** Top-level elements of the files. */
    readonly topLevel: readonly string[];
}
export interface ComposeRequest {
    /** Absolute paths; the folder of the first is the project's. */
    readonly files: readonly string[];
    readonly service: string;
    readonly env: Environment;
    /** What names the files, and what names the service. */
    readonly where: Where;
    readonly serviceWhere: Where;
}
/**
 * Reads one service of a Compose project: files merged in order, `include` and `extends` followed, variables replaced.
 * @throws AppError DEVCONTAINER
 */
export declare function loadService(request: ComposeRequest): MergedService;
export {};
