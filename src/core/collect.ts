import v8 from 'node:v8';
import vm from 'node:vm';

/** Bytes in buffers of their own after which the young ones are collected. */
const COLLECT_BYTES = 16 * 1024 * 1024;

/**
 * Takes note of bytes that passed through buffers of their own, and has them collected now and then. Left alone, V8 lets
 * 64 MiB of dead buffers pile up in every thread; collecting the young ones takes about a millisecond.
 */
export function createCollector(): (bytes: number) => void {
  let passed = 0;
  let collect: ((options: { readonly type: 'minor' }) => void) | undefined;
  return (bytes) => {
    passed += bytes;
    if (passed < COLLECT_BYTES) return;
    passed = 0;
    if (!collect) {
      v8.setFlagsFromString('--expose-gc');
      collect = vm.runInNewContext('gc');
    }
    collect?.({ type: 'minor' });
  };
}
