import { serveBatches } from '../core/batch-threads.ts';
import { sharedSyscalls } from '../sys/syscalls.ts';
import { createBatchHasher } from './hash-ahead.ts';

/* Hashes batches of files of a context. */

serveBatches(createBatchHasher(sharedSyscalls()), () => {});
