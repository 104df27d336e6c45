import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type HostileLayer, imageOf, layerOf, publish, TYPES } from '../images.ts';
import type { DirectoryInput } from '../kinds/directories.ts';
import type { RecordInput } from '../kinds/records.ts';
import type { TableInput } from '../kinds/tables.ts';
import { writeKaniko, writeLayout } from '../layouts.ts';
import type { Plot } from '../plot.ts';
import { editRecords, recordsWith } from '../records.ts';
import { sha256 } from '../registry.ts';
import { file, tarOf } from '../tar-bytes.ts';
import { ownLayer } from '../toc.ts';
import { type Attempt, buildOn, cachedBuild, type WayIn } from './way.ts';

/** The layer of a record that has such a table of contents. */
export function recordLayer({ tar, options, position }: TableInput): HostileLayer {
  const made = ownLayer(tar, options);
  const toc = position ? (position(made.toc) as unknown as typeof made.toc) : made.toc;
  return { ...made, toc, mediaType: TYPES.zstd };
}

/** How a cache record's table of contents comes in. */
export const tableWays: readonly WayIn<TableInput>[] = (['repo', 'dir'] as const).map((put) => ({
  name: `cache-${put}`,
  cached: true,
  carry: (input, plot, { baseline }) => ({
    ...cachedBuild(plot, put, recordsWith(baseline, recordLayer(input))),
    hits: true,
  }),
}));

/** Where records come from. */
export const recordWays: readonly WayIn<RecordInput>[] = (['repo', 'dir'] as const).map((put) => ({
  name: `cache-${put}`,
  cached: true,
  carry: (input, plot, { baseline }) => ({ ...cachedBuild(plot, put, input(baseline)), hits: true }),
}));

/** What a directory that a program has filled can be given as. */
export const directoryWays: readonly WayIn<DirectoryInput>[] = [
  {
    name: 'cache-dir',
    cached: true,
    carry: (input, plot, { baseline }) => {
      const attempt = cachedBuild(
        plot,
        'dir',
        editRecords(baseline, () => {}),
      );
      input(join(plot.dir, 'cache'), plot);
      return { ...attempt, refusals: [18], hits: true };
    },
  },
  ...(['kaniko', 'oci'] as const).map((layout) => ({
    name: `base-dir-${layout}`,
    carry: (input: DirectoryInput, plot: Plot): Attempt => {
      const image = imageOf([layerOf(tarOf([file('from-base')]), 'gzip')]);
      publish(plot.repository, image);
      const bases = join(plot.dir, 'bases');
      mkdirSync(bases);
      (layout === 'oci' ? writeLayout : writeKaniko)(bases, image);
      input(bases, plot);
      const { args, ...rest } = buildOn(plot, `${plot.repository.reference}@${sha256(image.manifest)}`);
      return {
        ...rest,
        refusals: [2, 5, 9, 18],
        args: [...args.slice(0, -1), `--base-image-cache-dir=${bases}`, plot.context],
      };
    },
  })),
];
