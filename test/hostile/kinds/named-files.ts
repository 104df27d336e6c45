import type { Kind } from '../types.ts';
import { notFiles } from './not-files.ts';

/** Puts something at a path that an option names. */
export type OptionInput = (path: string) => void;

/** What options may lead to: anything but files, and files without end. Links out are no harm, since an option may name all. */
const NAMES = [
  'fifo',
  'socket',
  'zero-device',
  'random-device',
  'tty-device',
  'directory',
  'sparse-1-tib',
  'link-loop',
  'link-self',
  'link-zero',
  'link-stdin',
  'link-nowhere',
];

/** Things in the place of a file that an option names. */
export const namedFiles: readonly Kind<OptionInput>[] = notFiles
  .filter(({ name }) => NAMES.includes(name))
  .map(({ name, put }) => ({
    name,
    must: 'refuse',
    make: (place) => (path) => put(path, place),
  }));
