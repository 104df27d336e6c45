import { type Where } from '../core/error.ts';
/** Runs `work`; adds the place of the instruction to errors that have none. */
export declare function located<T>(where: Where, work: () => Promise<T>): Promise<T>;
