import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { imageOf, layerOf, publish } from '../images.ts';
import type { DocumentInput } from '../kinds/documents.ts';
import type { ReplyInput } from '../kinds/replies.ts';
import { writeKaniko, writeLayout } from '../layouts.ts';
import type { Plot } from '../plot.ts';
import { editRecords } from '../records.ts';
import { sha256 } from '../registry.ts';
import { SOURCES } from '../run.ts';
import { file, tarOf } from '../tar-bytes.ts';
import { featureArchive, featureBuild } from './tars.ts';
import { type Attempt, build, buildOn, cachedBuild, type WayIn } from './way.ts';

/** Serves the documents of an image under the tag 1. */
export function publishDocument({ image, headers, more = [] }: DocumentInput, { repository }: Plot): void {
  publish(repository, image);
  for (const { bytes, type } of more) repository.document(undefined, bytes, type);
  if (headers) repository.documents.set('1', { bytes: image.manifest, type: image.type, headers });
}

/** Where manifests, indexes and configs come from. */
export const documentWays: readonly WayIn<DocumentInput>[] = [
  {
    name: 'base',
    carry: (input, plot) => {
      publishDocument(input, plot);
      // What a config says in ONBUILD is a Dockerfile, and what it says of users and directories is used by steps.
      return {
        ...buildOn(plot, `${plot.repository.reference}:1`),
        refusals: [3, 4, 5, 6, 7, 9],
        docker: true,
      };
    },
  },
  ...(['kaniko', 'oci'] as const).map((layout) => ({
    name: `base-dir-${layout}`,
    carry: ({ image, headers, more = [] }: DocumentInput, plot: Plot): Attempt => {
      const bases = join(plot.dir, 'bases');
      mkdirSync(bases);
      const blobs = [...image.blobs, ...more.map(({ bytes }) => bytes)];
      (layout === 'oci' ? writeLayout : writeKaniko)(bases, { ...image, blobs });
      const { args, ...rest } = buildOn(plot, `${plot.repository.reference}@${sha256(image.manifest)}`);
      return {
        ...rest,
        // kaniko's files hold one image: an index in the place of its manifest is nothing. Nobody sends headers here.
        ...((layout === 'kaniko' && more.length > 0) || headers ? { must: 'either' } : {}),
        refusals: [3, 4, 5, 6, 7, 9],
        args: [...args.slice(0, -1), `--base-image-cache-dir=${bases}`, plot.context],
      };
    },
  })),
  {
    name: 'warm',
    carry: (input, plot) => {
      publishDocument(input, plot);
      const args = [
        'warm',
        '--progress=plain',
        `--cache-dir=${join(plot.dir, 'warm')}`,
        `${plot.repository.reference}:1`,
      ];
      return { args, refusals: [6, 7, 9], prints: /fetched|present/, must: 'either' };
    },
  },
];

/** Variables of a run whose registry may keep it waiting. */
const variables = ({ keepsWaiting }: ReplyInput): Pick<Attempt, 'env' | 'program'> =>
  keepsWaiting
    ? {
        env: { NODE_OPTIONS: `--import=${join(import.meta.dirname, '../shorter-times.ts')}` },
        // The limits of a bundle cannot be reached from outside.
        program: SOURCES,
      }
    : {};

/** Answers whose size is not what they say. */
const SIZED = /-(length|range)-/;

/** What a registry can be asked for. */
export const replyWays: readonly WayIn<ReplyInput>[] = [
  {
    name: 'base',
    carry: (input, plot) => {
      publish(plot.repository, imageOf([layerOf(tarOf([file('from-base')]), 'gzip')]));
      plot.repository.answer = input.answer(plot);
      const attempt = buildOn(plot, `${plot.repository.reference}:1`);
      return { ...attempt, refusals: [6, 7, 8, 9], ...variables(input) };
    },
  },
  {
    name: 'cache',
    cached: true,
    carry: (input, plot, { baseline }) => {
      const attempt = cachedBuild(
        plot,
        'repo',
        editRecords(baseline, () => {}),
      );
      plot.repository.answer = input.answer(plot);
      return { ...attempt, ...variables(input) };
    },
  },
  {
    name: 'feature',
    takes: ({ name }) => SIZED.test(name),
    carry: (input, plot, fixtures) => {
      const attempt = featureBuild(plot, fixtures, featureArchive());
      plot.repository.answer = input.answer(plot);
      return { ...attempt, refusals: [6, 7, 8, 9, 17], must: 'either', ...variables(input) };
    },
  },
  {
    name: 'add',
    takes: ({ name }) => name.startsWith('blobs-') && SIZED.test(name),
    carry: (input, plot) => {
      const url = `http://${plot.registry.host}/v2/${plot.repository.name}/blobs`;
      const digest = plot.repository.blob(Buffer.from('added\n'));
      plot.repository.answer = input.answer(plot);
      plot.write({
        'context/Dockerfile': `FROM scratch\nADD ${url}/${digest} /added\nCOPY a /probe-a\n`,
        'context/a': 'hi\n',
      });
      // Nobody says what a file of ADD has to be, so whatever comes whole is taken.
      return { args: build(plot), refusals: [5], result: 'probe-a', must: 'either', ...variables(input) };
    },
  },
];
