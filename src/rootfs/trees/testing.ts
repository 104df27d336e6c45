import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { createSyscalls } from '../../sys/syscalls.ts';

/* Helpers of the tests of trees; no part of the product. */

const syscalls = createSyscalls();
const somewhere = fc
  .array(fc.constantFrom('a', 'b', 'c.d'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'));
/** Something that a RUN may do to a tree. */
export const change = fc.record({
  kind: fc.constantFrom(
    ...(['write', 'write', 'mkdir', 'mkdir', 'remove', 'rename', 'rename', 'link', 'symlink'] as const),
    ...(['mode', 'again', 'anew', 'xattr'] as const),
  ),
  at: somewhere,
  to: somewhere,
  value: fc.constantFrom(0, 1, 2),
});

export type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** A time long ago, so that it can be set back to. */
const OLD = 1_600_000_000;

/** Does what can be done of a change, as a RUN with `|| true` behind everything. */
export function apply(root: string, { kind, at, to, value }: Change): void {
  const [here, there] = [path.join(root, at), path.join(root, to)];
  try {
    if (kind === 'write') fs.writeFileSync(here, `${at} ${value}`);
    else if (kind === 'mkdir') fs.mkdirSync(here, { recursive: true });
    else if (kind === 'remove') fs.rmSync(here, { recursive: true });
    else if (kind === 'rename') fs.renameSync(here, there);
    else if (kind === 'link') fs.linkSync(here, there);
    else if (kind === 'symlink') fs.symlinkSync(`../${to}${value}`, here);
    else if (kind === 'mode') fs.chmodSync(here, [0o755, 0o700, 0o4711][value]!);
    else if (kind === 'again') fs.writeFileSync(here, fs.readFileSync(here));
    else if (kind === 'anew') {
      fs.rmSync(here, { recursive: true });
      fs.mkdirSync(here);
      fs.writeFileSync(path.join(here, 'b'), String(value));
    } else if (kind === 'xattr') syscalls.setXattr(here, 'user.x', Buffer.from(String(value)));
    fs.lutimesSync(here, OLD, OLD);
  } catch (error) {
    assert.notEqual((error as NodeJS.ErrnoException).code, undefined, String(error));
  }
}
