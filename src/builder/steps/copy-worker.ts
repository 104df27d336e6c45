import { parentPort, workerData } from 'node:worker_threads';
import { sharedSyscalls } from '../../sys/syscalls.ts';
import { createBatchCopier } from './copy-batch.ts';
import { type CopyAnswer, type CopyOrder, NO_MORE } from './copy-threads.ts';

/* Copies batches of files of a COPY. */

const copier = createBatchCopier(workerData as string, sharedSyscalls());

parentPort!.on('message', (order: CopyOrder | typeof NO_MORE) => {
  if (order === NO_MORE) {
    // Nothing else does: not even the end of the thread closes what openat2 opened.
    copier.close();
    parentPort!.close();
    return;
  }
  const { id, batch } = order;
  parentPort!.postMessage({ id, left: copier.copy(batch) } satisfies CopyAnswer);
});
