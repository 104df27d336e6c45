import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSyscalls } from '../../sys/syscalls.ts';
import { describeTree } from '../describe-tree.ts';
import { waitForTick } from '../trees/table.ts';
import type { ForeignPlace } from './foreign-places.ts';
import { createSameContent } from './same-content.ts';
import { recoverPlace, SAVED, type ShownImage, showImage } from './show-image.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-show-'));
const syscalls = createSyscalls();
const sameContent = createSameContent();
let count = 0;
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Shown {
  readonly place: string;
  readonly image: string;
  readonly show: () => ShownImage;
  readonly run: (script: string) => string;
  readonly recover: () => void;
  /** What lies in either directory. */
  readonly tree: (dir: string) => Record<string, string>;
}

/** A place and what the image has there, both as shell commands make them. */
function lay(place: string, image: string): Shown {
  count += 1;
  const dir = join(scratch, String(count));
  for (const name of ['place', 'image']) mkdirSync(join(dir, name), { recursive: true });
  const run = (script: string, cwd = dir): string =>
    execFileSync('sh', ['-euc', script], { cwd, encoding: 'utf8' });
  run(place, join(dir, 'place'));
  run(image, join(dir, 'image'));
  const at: ForeignPlace = {
    path: join(dir, 'place'),
    mounted: true,
    writable: true,
    directory: true,
    localClock: true,
  };
  return {
    place: at.path,
    image: join(dir, 'image'),
    show: () => {
      const shown = showImage([at], {
        syscalls,
        sameContent,
        skip: new Set(),
        imageAt: () => join(dir, 'image'),
      });
      waitForTick(join(scratch, 'tick'));
      return shown;
    },
    run: (script) => run(script, at.path),
    recover: () => recoverPlace(at, syscalls),
    tree: (root) =>
      Object.fromEntries(
        describeTree(root)
          .filter(({ path }) => path !== '' && path !== SAVED && !path.startsWith(`${SAVED}/`))
          .map(({ path, type, mode, uid, size, mtime }) => [
            path,
            `${type} ${mode.toString(8)} ${uid} ${type === 'file' ? size : ''} ${mtime}`,
          ]),
      ),
  };
}

const PLACE = `
  mkdir -p shared own; echo mine >own/f; echo same >same; echo mine, longer >differs; ln -s own link; echo x >type
  chmod 600 differs; chown 5:5 differs; touch -d @1500000000 shared own differs .`;
const IMAGE = `
  mkdir -p shared/sub new/deep type; echo s >shared/sub/s; echo n >new/deep/n; chmod 700 new/deep; chown 7:8 new/deep/n
  echo same >same; echo image >differs; chmod 755 differs; ln -s /etc link; echo t >type/t; ln -s nowhere dangling
  setfattr -n user.x -v y new/deep/n 2>/dev/null || true; touch -d @1400000000.123 new/deep/n; mkfifo pipe`;

test('the image’s files lie over those of the place, and go again', () => {
  const { place, image, show, run, tree } = lay(PLACE, IMAGE);
  const [before, of] = [tree(place), tree(image)];
  const shown = show();
  assert.deepEqual(shown.hidden, []);
  assert.equal(run('cat shared/sub/s new/deep/n same differs own/f type/t'), 's\nn\nsame\nimage\nmine\nt\n');
  const now = tree(place);
  for (const path of ['new/deep/n', 'new/deep', 'differs', 'link', 'dangling'])
    assert.equal(now[path], of[path], path);
  assert.equal(existsSync(join(place, 'pipe')), false);
  for (const path of ['same', 'differs', 'new', 'new/deep/n', 'type/t', 'link'])
    assert.equal(shown.isImage(join(place, path)), true, path);
  for (const path of ['own/f', 'own', 'shared', ''])
    assert.equal(shown.isImage(join(place, path)), false, path);
  shown.remove();
  assert.deepEqual(tree(place), before);
  assert.equal(lstatSync(place).mtimeMs, 1_500_000_000_000);
  assert.deepEqual(tree(image), of);
  assert.equal(existsSync(join(place, SAVED)), false);
});

test('where the image has nothing, or nothing else, the place is not touched', () => {
  for (const image of ['', 'mkdir own shared', 'echo same >same; touch -d @1 same']) {
    const { place, show } = lay(PLACE, image);
    const { ctimeNs } = lstatSync(place, { bigint: true });
    show().remove();
    assert.equal(lstatSync(place, { bigint: true }).ctimeNs, ctimeNs);
  }
});

test('what a RUN changes of the image’s files the image gets; the user’s own are as they were', () => {
  const { place, image, show, run, tree } = lay(PLACE, IMAGE);
  const before = tree(place);
  const shown = show();
  run(`echo changed >differs; rm shared/sub/s; echo made >new/deep/made; chmod 711 new; chmod 600 new/deep/n
       rm -r type; echo file >type; rm dangling; mkdir dangling; echo in >dangling/in; mv link moved`);
  shown.remove();
  assert.equal(readFileSync(join(image, 'differs'), 'utf8'), 'changed\n');
  const of = tree(image);
  assert.equal(of['shared/sub/s'], undefined);
  assert.match(of['new/deep/n']!, /^file 600 7/);
  assert.match(of.new!, /^dir 711/);
  assert.match(of.type!, /^file/);
  assert.equal(of.link, undefined);
  assert.equal(readFileSync(join(image, 'dangling/in'), 'utf8'), 'in\n');
  const now = tree(place);
  for (const path of ['differs', 'own/f', 'same', 'link', 'type'])
    assert.equal(now[path], before[path], path);
  // What is new, and what was changed where nothing else was, stays in the place as all that a RUN writes there.
  assert.equal(readFileSync(join(place, 'new/deep/made'), 'utf8'), 'made\n');
  assert.match(now['new/deep/n']!, /^file 600/);
  assert.equal(readFileSync(join(place, 'dangling/in'), 'utf8'), 'in\n');
  const again = show();
  assert.equal(run('cat new/deep/n new/deep/made differs'), 'n\nmade\nchanged\n');
  again.remove();
  assert.equal(readFileSync(join(place, 'new/deep/made'), 'utf8'), 'made\n');
});

test('a RUN that deletes all of a place ends nothing', () => {
  const { place, image, show, run } = lay(PLACE, IMAGE);
  const shown = show();
  run('rm -rf ./* ./.[!.]*');
  shown.remove();
  assert.deepEqual(existsSync(join(image, 'differs')), false);
  assert.equal(existsSync(join(place, SAVED)), false);
});

test('what a killed process left is put right, but for what somebody has made of it', () => {
  const { place, show, run, recover, tree } = lay(PLACE, IMAGE);
  const before = tree(place);
  const killed = show();
  run('echo theirs, and longer >new/deep/n');
  // The lock ends with the process: another open file of it is one of another process.
  recover();
  assert.equal(existsSync(join(place, SAVED)), true, 'its owner is alive');
  const copy = join(scratch, 'copy');
  execFileSync('cp', ['-a', place, copy]);
  killed.remove();
  recoverPlace({ path: copy, mounted: true, writable: true, directory: true, localClock: true }, syscalls);
  const now = tree(copy);
  assert.equal(existsSync(join(copy, SAVED)), false);
  assert.equal(readFileSync(join(copy, 'new/deep/n'), 'utf8'), 'theirs, and longer\n');
  for (const path of Object.keys(before))
    if (!path.includes('new')) assert.equal(now[path]?.split(' ')[3], before[path]?.split(' ')[3], path);
  assert.equal(readFileSync(join(copy, 'differs'), 'utf8'), 'mine, longer\n');
});

test('where another container is at work, and where nothing can be written, the image is hidden', () => {
  const { place, show } = lay(PLACE, IMAGE);
  const other = show();
  const shown = show();
  assert.deepEqual(
    shown.hidden.map(({ path }) => path),
    [place],
  );
  shown.remove();
  assert.equal(readFileSync(join(place, 'differs'), 'utf8'), 'image\n');
  other.remove();
});
