import type { AddInstruction } from '../dockerfile/types.ts';
import { type CopyRequest } from './context-input.ts';
import type { CopyInput } from './types.ts';
/** What ADD copies: each source by itself, as files of the context, an archive to unpack, a URL or a repository. */
export declare function addInputs(request: CopyRequest, instruction: AddInstruction): Promise<CopyInput[]>;
