import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { scratchDir } from '../../core/testing.ts';
import { lockfilePath, readLockfile, saveLockfile } from './lockfile.ts';

const dir = scratchDir('lockfile');
const config = join(dir, 'devcontainer.json');
const path = join(dir, 'devcontainer-lock.json');
beforeEach(() => rmSync(path, { force: true }));

const TEXT = '{"features":{"r.io/o/a:1":{"version":"1.0.0","integrity":"DIGEST","resolved":"x"}}}'.replace(
  'DIGEST',
  digestOf('a'),
);

describe('the lockfile', () => {
  it('lies beside devcontainer.json, hidden when that is', () => {
    assert.equal(
      lockfilePath('/w/.devcontainer/devcontainer.json'),
      '/w/.devcontainer/devcontainer-lock.json',
    );
    assert.equal(lockfilePath('/w/.devcontainer.json'), '/w/.devcontainer-lock.json');
  });

  it('pins what it names', () => {
    writeFileSync(path, TEXT);
    assert.deepEqual([...readLockfile(config, [dir]).pins], [['r.io/o/a:1', digestOf('a')]]);
  });

  it('pins nothing when it is empty or not there', () => {
    assert.equal(readLockfile(config, [dir]).pins.size, 0);
    writeFileSync(path, '\n');
    assert.deepEqual(readLockfile(config, [dir]), { path, roots: [dir], pins: new Map() });
  });

  it('is refused when it is something else', () => {
    for (const text of ['{', '[]', '{"features":1}', '{"features":{"a":1}}']) {
      writeFileSync(path, text);
      assert.throws(() => readLockfile(config, [dir]), { code: 'DEVCONTAINER' }, text);
    }
  });

  it('is written when it changes, and leaves nothing else', () => {
    saveLockfile(readLockfile(config, [dir]), TEXT, 'update');
    assert.equal(readFileSync(path, 'utf8'), TEXT);
    const spaced = JSON.stringify(JSON.parse(TEXT), null, 4);
    writeFileSync(path, spaced);
    saveLockfile(readLockfile(config, [dir]), TEXT, 'update');
    assert.equal(readFileSync(path, 'utf8'), spaced);
    assert.deepEqual(readdirSync(dir), ['devcontainer-lock.json']);
  });

  it('does not change when it is frozen', () => {
    assert.throws(
      () => saveLockfile(readLockfile(config, [dir]), TEXT, 'frozen'),
      /does not exist, and it is frozen/,
    );
    assert.ok(!existsSync(path));
    writeFileSync(path, TEXT.replace('1.0.0', '1.0.1'));
    assert.throws(
      () => saveLockfile(readLockfile(config, [dir]), TEXT, 'frozen'),
      /does not match the features/,
    );
    writeFileSync(path, TEXT);
    saveLockfile(readLockfile(config, [dir]), TEXT, 'frozen');
  });
});
