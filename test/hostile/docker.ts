import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerEngine } from '../../scripts/lib/docker-engine.ts';
import { capture } from '../../scripts/lib/shell.ts';
import { compareImages, report } from '../support/compare.ts';
import { describeImage, readDockerArchive, readOciLayout } from '../support/read-image.ts';
import type { Plot } from './plot.ts';
import { runHostile } from './run.ts';

/** What Docker makes of the same input. */
export interface DockerVerdict {
  readonly builds: boolean;
  /** The end of what it said. */
  readonly text: string;
}

/** Docker refuses what it refuses at once; what it is still busy with after this long, it counts as refusing. */
const MOST_MS = 120_000;

/** Everything that the first stage holds, as files of a layer that both write anew. */
const COPIED = '\nFROM scratch\nCOPY --from=0 / /out/\n';

/** Docker cannot read what it has unpacked itself. */
const UNREADABLE = /lstat \S*\/buildkit-mount\d+\/\S*: no such file or directory/;

/** Builds the context of a plot with Docker, as the way into it has left it. */
export async function askDocker(engine: DockerEngine, plot: Plot): Promise<DockerVerdict> {
  return buildWithDocker(engine, plot.context, join(plot.context, 'Dockerfile'), []);
}

/**
 * Builds it with both, and compares the files that the first stage holds in the end.
 * @returns the differences as text; empty when there are none
 * @throws Error when one of them does not build it
 */
export async function compareTrees(engine: DockerEngine, plot: Plot): Promise<string> {
  const dockerfile = join(plot.dir, 'Dockerfile.compared');
  writeFileSync(dockerfile, readFileSync(join(plot.context, 'Dockerfile'), 'latin1') + COPIED, 'latin1');
  const tag = `hostile-${plot.dir.slice(-6).toLowerCase()}`;
  const since = Math.floor(Date.now() / 1000) - 5;
  const theirs = await buildWithDocker(engine, plot.context, dockerfile, [`--tag=${tag}`]);
  // A whiteout behind a link is a name that its overlay lists and does not have: there is nothing to compare with.
  if (UNREADABLE.test(theirs.text)) return '';
  if (!theirs.builds) throw new Error(`Docker does not build it with a second stage: ${theirs.text}`);
  try {
    const saved = join(plot.dir, 'saved');
    mkdirSync(saved);
    const save = '"$1" image save "$2" | tar -xf - -C "$3"';
    const { code, stderr } = await capture('/bin/sh', ['-c', save, 'sh', engine.command, tag, saved], {
      env: engine.env,
    });
    if (code !== 0) throw new Error(`docker save: ${stderr}`);
    const layout = join(plot.dir, 'layout');
    const ours = await runHostile({
      args: [
        'build',
        `--file=${dockerfile}`,
        `--output=type=oci,dest=${layout}`,
        '--progress=plain',
        plot.context,
      ],
      cwd: plot.dir,
      env: plot.env,
      program: plot.program,
    });
    if (ours.code !== 0) throw new Error(`with a second stage it ends with ${ours.code}: ${ours.stderr}`);
    const expected = describeImage(await readDockerArchive(saved), since);
    const actual = describeImage(await readOciLayout(layout), since);
    rmSync(saved, { recursive: true, force: true });
    // Layers of such inputs are odd for both; only what Docker's is not counts.
    const problems = actual.problems.filter((problem) => !expected.problems.includes(problem));
    return report(compareImages(expected, { ...actual, problems }));
  } finally {
    await capture(engine.command, ['image', 'rm', '-f', tag], { env: engine.env });
  }
}

async function buildWithDocker(
  engine: DockerEngine,
  context: string,
  dockerfile: string,
  more: readonly string[],
): Promise<DockerVerdict> {
  const flags = [
    '--no-cache',
    '--network=host',
    '--provenance=false',
    '--progress=plain',
    `--file=${dockerfile}`,
  ];
  const { code, stderr } = await capture(engine.command, ['buildx', 'build', ...flags, ...more, context], {
    env: engine.env,
    timeoutMs: MOST_MS,
  });
  if (/Cannot connect to the Docker daemon|code = Unavailable/.test(stderr))
    throw new Error(`the Docker engine ended: ${stderr}`);
  return { builds: code === 0, text: stderr.trim().split('\n').slice(-12).join('\n') };
}
