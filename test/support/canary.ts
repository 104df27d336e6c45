import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A directory of the host that no build may read into an image, write to, or change in any way. */
export interface Canary {
  readonly dir: string;
  /** A text that is in its files alone. */
  readonly secret: string;
  /** Fails when anything of it changed, or when its secret is in a text. */
  assertUntouched(output?: string): void;
}

/** Makes it; `dir` does not exist yet. */
export function createCanary(dir: string): Canary {
  const secret = `canary-${process.hrtime.bigint()}`;
  mkdirSync(join(dir, 'empty-directory'), { recursive: true });
  mkdirSync(join(dir, 'sub'));
  for (const name of ['secret', 'sub/secret']) writeFileSync(join(dir, name), secret);
  writeFileSync(join(dir, 'empty-file'), '');
  chmodSync(join(dir, 'secret'), 0o600);
  chmodSync(join(dir, 'sub'), 0o700);
  const before = factsOf(dir);
  return {
    dir,
    secret,
    assertUntouched: (output = '') => {
      assert.equal(factsOf(dir), before);
      assert.equal(readFileSync(join(dir, 'secret'), 'utf8'), secret);
      assert.ok(!output.includes(secret), `the secret of the host is shown:\n${output}`);
    },
  };
}

/** Everything but times of access, and of what is linked or renamed. */
function factsOf(dir: string): string {
  const format = '%P %y %m %U:%G %n %s %T@ %i %l\\n';
  const facts = execFileSync('find', [dir, '-printf', format], { encoding: 'utf8' });
  return facts.split('\n').sort().join('\n');
}
