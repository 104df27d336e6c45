import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerEngine } from '../../scripts/lib/docker-engine.ts';
import type { Services } from '../../scripts/lib/services.ts';
import { capture } from '../../scripts/lib/shell.ts';
import { compareImages, report } from '../support/compare.ts';
import { envbuilder } from '../support/envbuilder.ts';
import { describeImage, readDockerArchive, readOciLayout } from '../support/read-image.ts';
import { type Generated, generate } from './generate.ts';
import { dropFileLine, shrink } from './lines.ts';
import { prepareWorkplace, touchAll, type Verdict, type Workplace } from './workplace.ts';

interface Attempt {
  /** `unsaved` is what Docker builds and cannot give out. */
  readonly kind:
    | 'same'
    | 'both-refuse'
    | 'only-docker-refuses'
    | 'only-we-refuse'
    | 'differs'
    | 'crash'
    | 'unsaved';
  readonly text: string;
  /** The line that Docker refuses. */
  readonly refused?: number;
}

/** How often a line that both refuse may be left out. */
const mostRounds = 8;

/**
 * Builds what a seed gives with Docker and with us; what both refuse is left out until something can be built. Gives the
 * first difference with as few lines as show it.
 */
export async function compareWithDocker(services: Services, seed: number): Promise<Verdict> {
  const { docker } = services;
  if (docker === undefined) throw new Error(`no Docker: ${services.reasons.docker}`);
  const generated = generate(seed);
  let attempts = 0;
  const attempt = async (lines: readonly string[]): Promise<Attempt> => {
    const workplace = await prepareWorkplace(services, `${seed}-${attempts++}`, generated);
    try {
      const time = new Date(Date.UTC(2022, 0, 1) + ((seed * 7919 + attempts * 104_729) % 31_000_000) * 1000);
      await touchAll(workplace.context, time.toISOString());
      return await buildBoth(services, docker, workplace, generated, lines);
    } finally {
      workplace.remove();
    }
  };
  let lines = generated.lines;
  for (let round = 0; round < mostRounds; round++) {
    const { kind, text, refused } = await attempt(lines);
    if (kind === 'same') return 'same';
    if (kind === 'unsaved') return 'nothing built';
    if (kind !== 'both-refuse') {
      const fewest = await shrink(lines, async (fewer) => (await attempt(fewer)).kind === kind);
      return { kind, text, lines: fewest };
    }
    const fewer = refused === undefined ? undefined : dropFileLine(lines, refused);
    if (fewer === undefined) break;
    lines = fewer;
  }
  return 'nothing built';
}

async function buildBoth(
  services: Services,
  docker: DockerEngine,
  workplace: Workplace,
  { buildArgs }: Generated,
  lines: readonly string[],
): Promise<Attempt> {
  const args = workplace.arguments(lines, buildArgs);
  const tag = workplace.dir.slice(workplace.dir.lastIndexOf('/') + 1);
  const theirFlags = [
    '--no-cache',
    '--network=host',
    '--provenance=false',
    '--progress=plain',
    `--tag=${tag}`,
  ];
  const asked = ['buildx', 'build', ...theirFlags, ...args, workplace.context];
  const theirs = await capture(docker.command, asked, { env: docker.env });
  const layout = join(workplace.dir, 'layout');
  const output = `--output=type=oci,dest=${layout}`;
  const ours = await envbuilder(['build', ...args, output, '--progress=plain', workplace.context]);
  if (/\n\s+at .*\.ts:\d+/.test(ours.output) || ours.code > 128) return { kind: 'crash', text: ours.output };
  if (theirs.code !== 0) {
    const line = /Dockerfile:(\d+)\n/.exec(theirs.stderr)?.[1];
    const kind = ours.code === 0 ? 'only-docker-refuses' : 'both-refuse';
    return { kind, text: lastLines(theirs.stderr), ...(line !== undefined && { refused: Number(line) }) };
  }
  try {
    if (ours.code !== 0) return { kind: 'only-we-refuse', text: lastLines(ours.output) };
    return await compareBuilt(docker, tag, workplace.dir, services.startedAt);
  } finally {
    await capture(docker.command, ['image', 'rm', '-f', tag], { env: docker.env });
  }
}

async function compareBuilt(docker: DockerEngine, tag: string, dir: string, since: number): Promise<Attempt> {
  const saved = join(dir, 'saved');
  mkdirSync(saved);
  const save = '"$1" image save "$2" | tar -xf - -C "$3"';
  const asked = ['-c', save, 'sh', docker.command, tag, saved];
  const { code, stderr } = await capture('/bin/sh', asked, { env: docker.env });
  if (code !== 0) return { kind: 'unsaved', text: stderr };
  const expected = describeImage(await readDockerArchive(saved), since);
  const actual = describeImage(await readOciLayout(join(dir, 'layout')), since);
  const differences = compareImages(expected, actual);
  return differences.length === 0
    ? { kind: 'same', text: '' }
    : { kind: 'differs', text: report(differences) };
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-25).join('\n');
}
