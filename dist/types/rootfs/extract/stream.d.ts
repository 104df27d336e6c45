import type { LayerBlob } from '../../layer/types.ts';
import type { TreeWriter } from './tree-writer.ts';
import type { Union } from './union.ts';
export interface StreamDeps {
    /** Where the writer writes. */
    readonly target: string;
    readonly writer: TreeWriter;
    readonly union: Union;
    /** Whether a file is not to appear at its path, though hard links may need its content. */
    readonly hides: (path: string) => boolean;
    /** Called with the compressed bytes of each chunk. */
    readonly advance: (bytes: number) => void;
    readonly signal: AbortSignal | undefined;
}
/**
 * Applies whole layers in order, straight to disk. The union must have been made with `writer.remove` for removed nodes.
 * Symlinks, devices and empty directories are left to the end, when it is known which of them stay.
 */
export declare function extractStreams(layers: readonly LayerBlob[], deps: StreamDeps): Promise<void>;
