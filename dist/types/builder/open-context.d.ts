import type { SourceTree } from '../context/types.ts';
import type { Session } from './session.ts';
import type { BuildRequest } from './types.ts';
/** The build context as .dockerignore leaves it; nothing is ever written into it. */
export interface OpenContext {
    readonly tree: SourceTree;
    /** Remembers the hashes of its files for the next process. */
    save(): void;
}
/** @param deps.readOnly a probe: hashes that an earlier build wrote are used, and none are written */
export declare function openContext(request: BuildRequest, session: Session, deps: {
    readonly readOnly: boolean;
}): OpenContext;
/** The directory of a named context as its own .dockerignore leaves it. */
export declare function openNamedContext({ name, path }: {
    readonly name: string;
    readonly path: string;
}, request: BuildRequest, session: Session, deps: {
    readonly readOnly: boolean;
}): OpenContext;
