import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../src/core/testing.ts';
import { pathCalls, pathProblems } from './check-paths.ts';

test('every way of naming a function of node:fs is found', () => {
  for (const [text, found] of [
    ["import { openSync, closeSync, constants as c } from 'node:fs';", ['openSync']],
    ["import {\n  type Stats,\n  readFileSync as read,\n} from 'node:fs';", ['readFileSync']],
    ["import { readFile } from 'node:fs/promises';", ['readFile']],
    ["import { rm } from 'fs/promises';", ['rm']],
    ["import fs from 'node:fs';\nfs.rmSync(x); fs.closeSync(1); fs.promises", ['promises', 'rmSync']],
    ["import * as files from 'node:fs';\nfiles.cpSync(a, b); files.constants.O_RDONLY", ['cpSync']],
    [
      "import fs, { type Stats, chmodSync } from 'node:fs';\nfs.fstatSync(1); fs.mkdirSync(d)",
      ['chmodSync', 'mkdirSync'],
    ],
    ["import type { BigIntStats } from 'node:fs';", []],
    ["const fs = await import('node:fs');", ['import()']],
    ["import { fsPath } from './fs.ts';\nfs.rmSync(x)", []],
  ] as const)
    assert.deepEqual(pathCalls(text), found, text);
});

test('a path that is handed to node:fs has to be in the list, and the list has to be true', (t) => {
  const root = tempDir(t);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write('src/context/a.ts', "import { openSync, rmSync } from 'node:fs';\n");
  write('src/context/a.test.ts', "import { openSync } from 'node:fs';\n");
  write('src/context/deep/b.ts', "import { closeSync } from 'node:fs';\n");
  write('src/cli/c.ts', "import { openSync } from 'node:fs';\n");
  const reason = 'shown by the tests of this very place';
  assert.deepEqual(
    pathProblems(root, {
      'src/context/a.ts': { calls: ['rmSync', 'cpSync'], reason },
      'src/context/gone.ts': { calls: ['rmSync'], reason: 'short' },
    }),
    [
      'src/context/a.ts hands a path to openSync of node:fs; see scripts/lib/allowed-paths.ts',
      'src/context/a.ts is allowed cpSync, which it does not call',
      'src/context/gone.ts is allowed rmSync, which it does not call',
      'src/context/gone.ts is allowed something without a reason',
    ],
  );
  assert.deepEqual(pathProblems(root, { 'src/context/a.ts': { calls: ['openSync', 'rmSync'], reason } }), []);
  write(
    'src/cli/c.ts',
    "import { rmSync } from 'node:fs';\nrmSync(x);\nrmSync(y, {\n  recursive: true, force: true });\n",
  );
  assert.match(
    pathProblems(root, { 'src/context/a.ts': { calls: ['openSync', 'rmSync'], reason } }).join(),
    /^src\/cli\/c\.ts removes a tree with node:fs/,
  );
});
