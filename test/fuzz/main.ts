/*
 * `npm run fuzz`: builds random Dockerfiles with Docker and with us, and compares files, metadata and configuration. What
 * differs stands below fuzz-out/, with as few lines as show it; the exit code is 1 then. Differences that were decided are
 * not made up in the first place (test/fuzz/copy.ts names them).
 *   --seeds 1-50   the seeds, one build for each
 *   --cache        compares builds that have a cache with builds that have none, after random edits, instead of Docker;
 *                  now and then a build in a container with volumes fills the cache before
 *   --race         lets builds of one Dockerfile race for one cache, in every kind of place, with and without kills
 *   --hostile      tries inputs that mean ill instead (test/hostile), and then mutations of honest ones
 *   --seconds 60   how long mutations are tried
 *   --seed 1       the first mutation
 *   --only PATTERN only inputs whose `form/kind/way` matches
 *   --turns        of ways that share a reader (a layer in gzip, zstd or plain) each kind takes one, in turn
 *   --every 1      of all this only each so-manieth
 *   --no-docker    without asking Docker what it makes of them
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createCleanUp } from '../../scripts/lib/cleanup.ts';
import { startServices } from '../../scripts/lib/services.ts';
import { generate } from './generate.ts';
import { compareWithCache } from './with-cache.ts';
import { compareWithDocker } from './with-docker.ts';
import { compareRaces } from './with-races.ts';
import type { Finding } from './workplace.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1-50' },
    cache: { type: 'boolean', default: false },
    race: { type: 'boolean', default: false },
    hostile: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    turns: { type: 'boolean', default: false },
    every: { type: 'string', default: '1' },
    'no-docker': { type: 'boolean', default: false },
  },
});
if (values.hostile) process.exit((await hostile()) === 0 ? 0 : 1);
const range = /^(\d+)(?:-(\d+))?$/.exec(values.seeds);
if (range === null) throw new Error(`--seeds ${values.seeds} is no range such as 1-50`);
const [first, last] = [Number(range[1]), Number(range[2] ?? range[1])];
const out = join(import.meta.dirname, '../..', 'fuzz-out');
mkdirSync(out, { recursive: true });
const cleanUp = createCleanUp();
let found = 0;
try {
  const services = await startServices(cleanUp, [
    'registry',
    'http',
    ...(values.cache || values.race ? [] : ['docker' as const]),
  ]);
  const compare = values.race ? compareRaces() : values.cache ? compareWithCache : compareWithDocker;
  for (let seed = first; seed <= last; seed++) {
    const verdict = await compare(services, seed);
    if (typeof verdict !== 'string') found++;
    process.stdout.write(typeof verdict === 'string' ? `${seed} ${verdict}\n` : keep(seed, verdict));
  }
} finally {
  await cleanUp.run();
}
process.stdout.write(`${last - first + 1} seeds, ${found} with differences\n`);
process.exitCode = found === 0 ? 0 : 1;

/** Writes down a difference, and gives what is shown of it. */
function keep(seed: number, { kind, text, lines, edits }: Finding): string {
  const { script, ignore, buildArgs } = generate(seed);
  const dir = join(out, `${seed}-${kind}`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'Dockerfile'), `${lines.join('\n')}\n`);
  writeFileSync(join(dir, 'context.sh'), script);
  if (ignore !== undefined) writeFileSync(join(dir, 'dockerignore'), ignore);
  const more = edits === undefined ? '' : `\nEdits:\n${edits.join('\n')}\n`;
  writeFileSync(join(dir, 'difference'), `${text}\n\nBuild arguments: ${JSON.stringify(buildArgs)}\n${more}`);
  return `${seed} ${kind}, in ${dir}\n${text.split('\n').slice(0, 12).join('\n')}\n`;
}

async function hostile(): Promise<number> {
  const { fuzzHostile } = await import('../hostile/fuzz.ts');
  const cleaning = createCleanUp();
  try {
    const { docker } = await startServices(cleaning, values['no-docker'] ? [] : ['docker']);
    return await fuzzHostile({
      seconds: Number(values.seconds),
      seed: Number(values.seed),
      turns: values.turns,
      every: Number(values.every),
      ...(values.only === undefined ? {} : { only: new RegExp(values.only) }),
      ...(docker ? { engine: docker } : {}),
    });
  } finally {
    await cleaning.run();
  }
}
