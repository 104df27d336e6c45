import { AppError } from '../core/error.ts';
import type { TocFrame } from '../layer/types.ts';
import type { TreeWriter } from './tree-writer.ts';
import { contentOffset } from './union-plan.ts';
import type { TreeNode } from './union-tree.ts';

/** Cuts the decoded frames of one layer into files. */
export interface FrameCutter {
  /** Takes the next wanted frame. */
  take(frame: TocFrame, bytes: Buffer): void;
  /** Closes a file that is still open; for the way out after an error. */
  abandon(): void;
}

/** @param nodes the files to write, by their place in the tar, as in a union plan */
export function createFrameCutter(nodes: readonly TreeNode[], writer: TreeWriter): FrameCutter {
  let next = 0;
  let fd: number | undefined;
  let written = 0;

  return {
    take: (frame, bytes) => {
      const frameEnd = frame.tarOffset + frame.tarLength;
      if (bytes.length !== frame.tarLength) {
        throw new AppError('CORRUPT', `a frame holds ${bytes.length} bytes instead of ${frame.tarLength}`);
      }
      for (let node = nodes[next]; node; node = nodes[next]) {
        const start = contentOffset(node);
        const end = start + node.inode!.entry.size;
        if (start >= frameEnd) return;
        if (start >= frame.tarOffset && end <= frameEnd) {
          writer.file(node, bytes.subarray(start - frame.tarOffset, end - frame.tarOffset));
          next += 1;
          continue;
        }
        fd ??= writer.open(node);
        const from = start + written - frame.tarOffset;
        const to = Math.min(end, frameEnd) - frame.tarOffset;
        if (from < 0 || from >= to)
          throw new AppError('CORRUPT', `the frames of "${node.path}" are out of order`);
        writer.write(fd, bytes.subarray(from, to));
        written += to - from;
        if (end > frameEnd) return;
        const done = fd;
        fd = undefined;
        written = 0;
        writer.close(done, node);
        next += 1;
      }
    },
    abandon: () => {
      if (fd !== undefined) writer.discard(fd);
      fd = undefined;
    },
  };
}
