import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { linkWorkspace } from './workspace-link.ts';

interface Kind {
  /** Makes what is at the path before. */
  readonly make: (path: string, workspace: string) => void;
  /** Why the workspace cannot be there; undefined where it then is. */
  readonly refused?: RegExp;
}

const KINDS: Readonly<Record<string, Kind>> = {
  nothing: { make: () => {} },
  'an empty directory': { make: (path) => mkdirSync(path, { recursive: true }) },
  'the link of an earlier start': {
    make: (path, workspace) => {
      mkdirSync(join(path, '..'), { recursive: true });
      symlinkSync(workspace, path);
    },
  },
  'a way to it through another link': {
    make: (path, workspace) => symlinkSync(join(workspace, '..'), join(path, '..')),
  },
  'a directory with files': {
    make: (path) => {
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'kept'), 'kept');
    },
    refused: /\/deep\/project has files of its own$/,
  },
  'a file': {
    make: (path) => {
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, 'kept');
    },
    refused: /is no directory$/,
  },
  'a link to somewhere else': {
    make: (path, workspace) => {
      mkdirSync(join(path, '..'), { recursive: true });
      symlinkSync(join(workspace, '..'), path);
    },
    refused: /is a link to somewhere else$/,
  },
  'a link to nowhere': {
    make: (path) => {
      mkdirSync(join(path, '..'), { recursive: true });
      symlinkSync('/no/such/place', path);
    },
    refused: /is a link to somewhere else$/,
  },
  'a file above it': {
    make: (path) => writeFileSync(join(path, '..'), 'kept'),
    refused: /lies below a file$|not a directory/,
  },
};

for (const [name, { make, refused }] of Object.entries(KINDS)) {
  test(`${name} where the workspace is to be`, (t) => {
    const dir = tempDir(t);
    const workspace = join(dir, 'clones/project');
    mkdirSync(workspace, { recursive: true });
    writeFileSync(join(workspace, 'file'), 'of the workspace');
    const path = join(dir, 'deep/project');
    make(path, workspace);
    // A restart comes to the same.
    for (const _ of ['start', 'restart']) {
      const problem = linkWorkspace(path, workspace);
      if (refused) assert.match(problem ?? '', refused);
      else {
        assert.equal(problem, undefined);
        assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'of the workspace');
      }
    }
    if (name === 'a directory with files') assert.equal(readFileSync(join(path, 'kept'), 'utf8'), 'kept');
    if (name === 'a file') assert.equal(readFileSync(path, 'utf8'), 'kept');
    if (name === 'a link to nowhere') assert.equal(readlinkSync(path), '/no/such/place');
  });
}

test('what is mounted where the workspace is to be stays', (t) => {
  const problem = linkWorkspace('/proc', tempDir(t));
  assert.match(problem ?? '', /^(something is mounted at \/proc|\/proc has files of its own)$/);
});
