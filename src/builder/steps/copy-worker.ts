import { workerData } from 'node:worker_threads';
import { serveBatches } from '../../core/batch-threads.ts';
import { sharedSyscalls } from '../../sys/syscalls.ts';
import { createBatchCopier } from './copy-batch.ts';

/* Copies batches of files of a COPY. */

const copier = createBatchCopier(workerData as string, sharedSyscalls());
serveBatches(copier.copy, copier.close);
