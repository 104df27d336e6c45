import { resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import type { OutputSpec } from '../../index.ts';
import { parseFields } from '../options/fields.ts';

/** What the option can ask for; a start chooses the others. */
type WrittenOutput = Extract<OutputSpec, { readonly path: string }>;

/** Docker's name for a root file system is accepted too. */
const TYPES: Readonly<Record<string, WrittenOutput['type']>> = {
  rootfs: 'rootfs',
  local: 'rootfs',
  oci: 'oci',
  docker: 'docker',
};

/**
 * What one `--output` asks for: `DIR`, or `type=rootfs|oci|docker,dest=PATH`.
 * @param cwd what relative paths are relative to
 * @throws AppError USAGE
 */
export function parseOutput(text: string, cwd: string): WrittenOutput {
  if (!/^[a-z]+=/i.test(text)) {
    if (text !== '' && text !== '-') return { type: 'rootfs', path: resolve(cwd, text) };
    throw new AppError(
      'USAGE',
      text === '' ? '--output is empty' : 'a root file system cannot be written to "-"',
      {
        hint: 'name a directory, or write --output type=docker,dest=- for an archive on standard output',
      },
    );
  }
  const fields = parseFields(text, '--output', { type: 'type', dest: 'dest', destination: 'dest' });
  const type = TYPES[fields.type ?? ''];
  if (!type) {
    throw new AppError('USAGE', `--output has ${fields.type ? `the type "${fields.type}"` : 'no type'}`, {
      hint: 'it can be rootfs, oci or docker',
    });
  }
  if (!fields.dest)
    throw new AppError('USAGE', `--output type=${type} has no dest`, { hint: 'add ,dest=PATH' });
  if (fields.dest !== '-') return { type, path: resolve(cwd, fields.dest) };
  if (type === 'docker') return { type, path: '-' };
  throw new AppError('USAGE', `--output type=${type} cannot be written to standard output`, {
    hint: 'only type=docker can',
  });
}
