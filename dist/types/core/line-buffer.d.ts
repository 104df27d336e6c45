/** Collects chunks into whole lines, so that a secret that arrives in two chunks is still recognised. */
export interface LineBuffer {
    /** The lines that this chunk completes; of a line that was overwritten by carriage returns, its last state. */
    push(chunk: string): readonly string[];
    /** The last complete state of an unfinished line that overwrites itself, as progress bars do. */
    overwritten(): string | undefined;
    /** What is left without a line end, if anything. */
    end(): readonly string[];
}
/**
 * @param keep how many units at the end of a line that is cut stay behind, as they may be the start of a secret
 */
export declare function createLineBuffer(keep: () => number): LineBuffer;
