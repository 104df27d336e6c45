import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What one run took. */
export interface Point {
  /** A name of CURVES. */
  readonly curve: string;
  readonly size: number;
  readonly what: 'uncached' | 'cached' | 'probe';
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
  /** That the registry was sent. */
  readonly requests: number;
}

/** Work of a kind in several sizes. */
export interface Curve {
  /** What there is more of, in the singular. */
  readonly unit: string;
  readonly about: string;
  readonly sizes: readonly number[];
  /** Makes the context with its Dockerfile. */
  write(options: { readonly context: string; readonly size: number; readonly base: string }): void;
  /** Changes the registry's storage between the first build and what is taken from the cache. */
  fill?(options: { readonly storage: string; readonly repository: string; readonly size: number }): void;
}

const FILES_PER_DIRECTORY = 200;
const STEPS_BESIDE_RECORDS = 10;

/** By name. */
export const CURVES: Readonly<Record<string, Curve>> = {
  steps: {
    unit: 'step',
    about: 'RUNs that write an empty file',
    sizes: [10, 30, 100, 300, 490],
    write: ({ context, size, base }) =>
      writeDockerfile(context, [`FROM ${base}`, ...lines(size, (i) => `RUN : > /step-${i}`)]),
  },
  stages: {
    unit: 'stage',
    about: 'stages with a RUN, from each of which a last one copies a file',
    sizes: [2, 6, 20, 60, 200],
    write: ({ context, size, base }) =>
      writeDockerfile(context, [
        ...lines(size, (i) => `FROM ${base} AS s${i}\nRUN echo ${i} > /out`),
        `FROM ${base}`,
        ...lines(size, (i) => `COPY --from=s${i} /out /out-${i}`),
      ]),
  },
  files: {
    unit: 'file',
    about: 'small files of the context in one COPY',
    sizes: [1_000, 10_000, 100_000, 1_000_000],
    write: ({ context, size, base }) => {
      writeDockerfile(context, [`FROM ${base}`, 'COPY tree /tree']);
      for (let d = 0; d < size / FILES_PER_DIRECTORY; d += 1) {
        const path = join(context, 'tree', `d${d}`);
        mkdirSync(path, { recursive: true });
        for (let f = 0; f < FILES_PER_DIRECTORY; f += 1) writeFileSync(join(path, `f${f}`), `${d} ${f}\n`);
      }
    },
  },
  records: {
    unit: 'record',
    about: `records in the cache of a build of ${STEPS_BESIDE_RECORDS} RUNs`,
    sizes: [100, 1_000, 10_000, 100_000],
    write: ({ context, base }) =>
      writeDockerfile(context, [`FROM ${base}`, ...lines(STEPS_BESIDE_RECORDS, (i) => `RUN : > /step-${i}`)]),
    fill: addTags,
  },
};

function lines(size: number, line: (i: number) => string): readonly string[] {
  return Array.from({ length: size }, (_, i) => line(i));
}

function writeDockerfile(context: string, all: readonly string[]): void {
  mkdirSync(context, { recursive: true });
  writeFileSync(join(context, 'Dockerfile'), `${all.join('\n')}\n`);
}

/** Gives a manifest of the repository so many more tags that look like keys, in CNCF Distribution's layout. */
function addTags({ storage, repository, size }: Parameters<NonNullable<Curve['fill']>>[0]): void {
  const manifests = join(storage, 'docker/registry/v2/repositories', repository, '_manifests');
  const [digest] = readdirSync(join(manifests, 'revisions/sha256'));
  for (let i = 0; i < size; i += 1) {
    const current = join(manifests, 'tags', i.toString(16).padStart(64, '0'), 'current');
    mkdirSync(current, { recursive: true });
    writeFileSync(join(current, 'link'), `sha256:${digest}`);
  }
}
