import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRawRepository } from '../git-objects.ts';
import type { TreeInput } from '../kinds/places.ts';
import type { RepositoryInput } from '../kinds/repositories.ts';
import type { Plot } from '../plot.ts';
import { type Attempt, build, type Fixtures, type WayIn } from './way.ts';

/** What may come of a workspace: its Dockerfile, its files, its references, its commands or its definition are wrong. */
const TREE_REFUSALS = [3, 4, 5, 6, 7, 8, 9, 16, 17, 21];

/** A workspace as it lies there, and as a clone of it. */
export const treeWays: readonly WayIn<TreeInput>[] = [
  {
    name: 'context',
    reader: 'build',
    carry: ({ write, args }, plot, fixtures) => {
      write(plot.context, plot);
      fillIn(plot.context, fixtures);
      return { args: build(plot, ...args), refusals: TREE_REFUSALS, docker: args.length === 0 };
    },
  },
  {
    name: 'read-configuration',
    carry: ({ write }, plot, fixtures) => {
      write(plot.context, plot);
      fillIn(plot.context, fixtures);
      return {
        args: ['read-configuration', `--workspace-folder=${plot.context}`, '--include-merged-configuration'],
        refusals: TREE_REFUSALS,
        prints: /"configuration"/,
        must: 'either',
      };
    },
  },
  {
    name: 'clone',
    reader: 'build',
    // What git itself would write into is nothing that it can be cloned from.
    takes: ({ name }) => !name.startsWith('git-dir-is-'),
    carry: ({ write, args, git }, plot, fixtures) => {
      const work = join(plot.dir, 'origin');
      mkdirSync(work);
      write(work, plot);
      fillIn(work, fixtures);
      const script = `git init -q "$1" && cd "$1" || exit; git add -A >/dev/null 2>&1; git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m x`;
      if (git)
        execFileSync('/bin/sh', ['-c', script, 'sh', work], {
          env: { PATH: process.env.PATH, HOME: plot.dir, GIT_CONFIG_NOSYSTEM: '1' },
        });
      else mkdirSync(join(work, '.git'));
      return { ...cloned(plot, `file://${work}`, args), must: 'either' };
    },
  },
];

/** A repository, object by object. */
export const repositoryWays: readonly WayIn<RepositoryInput>[] = [
  {
    name: 'clone',
    carry: (input, plot) => {
      const repository = createRawRepository(join(plot.dir, 'origin.git'));
      input(repository, plot);
      return cloned(plot, `file://${repository.dir}`, []);
    },
  },
  {
    name: 'add',
    carry: (input, plot, { gitServer }) => {
      const repository = createRawRepository(join(gitServer.root, `${plot.repository.name}.git`));
      input(repository, plot);
      plot.write({
        'context/Dockerfile': `FROM scratch\nADD ${gitServer.origin}/${plot.repository.name}.git#main /x\nCOPY a /probe-a\n`,
        'context/a': 'hi\n',
      });
      return { args: build(plot), refusals: [5, 7, 8, 9, 16, 19], result: 'probe-a' };
    },
  },
];

function cloned(plot: Plot, url: string, args: readonly string[]): Attempt {
  const folder = join(plot.dir, 'workspace');
  const clone = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, '../clone-main.ts'),
    url,
    folder,
  ];
  const then = [...plot.program, ...build({ ...plot, context: folder }, ...args)];
  return {
    program: ['/bin/sh', '-c', '"$1" "$2" "$3" "$4" "$5" || exit; shift 5; exec "$@"', 'sh', ...clone],
    args: then,
    refusals: TREE_REFUSALS,
    result: 'probe-a',
  };
}

function fillIn(dir: string, { busybox }: Fixtures): void {
  const path = join(dir, 'Dockerfile');
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile() || statSync(path).size > 1_000_000) return;
  const text = readFileSync(path, 'latin1');
  if (text.includes('@BUSYBOX@'))
    writeFileSync(path, Buffer.from(text.replaceAll('@BUSYBOX@', busybox), 'latin1'));
}
