import { type Digest } from '../core/digest.ts';
/** Hashes of trees that have not changed since, by what was asked. */
export interface AnswerMemo {
    /** The answer to a question about files that were in this state. */
    get(question: Digest, state: Digest): Digest | undefined;
    set(question: Digest, state: Digest, answer: Digest): void;
    /** Writes the memo for the next process, when it has a file and learnt something. */
    save(): void;
}
/**
 * @param file where the memo is kept between processes; what is damaged in it is ignored, and one that cannot be written is
 * not written
 */
export declare function createAnswerMemo(file?: string): AnswerMemo;
