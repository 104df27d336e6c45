import { AppError } from '../../core/error.ts';
import { plainText } from '../../core/plain-text.ts';
import { formatBytes } from '../../core/units.ts';
import { defaultPlatform, diffImages, type FileChange, type ImageDiff, parsePlatform } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import { imageLocation } from '../requests/image-location.ts';
import { onePlatform } from '../requests/platforms.ts';
import { registrySettings } from '../requests/registries.ts';
import { tableFormat } from './explain.ts';
import { columnsText } from './table-text.ts';

/** Lines of files that a text has; JSON has all. */
const MOST_FILES = 50;
const MOST_VALUE = 80;

/** `envbuilder cache diff`: what two images do not have in common, on standard output as text or as JSON. */
export const cacheDiffCommand: CommandBody = async ({ options, operands }, context, emit) => {
  const format = tableFormat(options);
  const [first, second, ...more] = operands;
  if (first === undefined || second === undefined || more.length > 0)
    throw new AppError('USAGE', `two images are to be named, not ${operands.length}`, {
      hint: 'write envbuilder cache diff IMAGE IMAGE',
    });
  const { platform } = onePlatform(options, 'a comparison');
  const found = await diffImages(
    imageLocation(first, context.cwd),
    imageLocation(second, context.cwd),
    {
      platform: platform === undefined ? defaultPlatform() : parsePlatform(platform),
      registries: registrySettings(options, context.env),
    },
    { onEvent: emit, signal: context.signal },
  );
  context.stdout.write(format === 'json' ? `${JSON.stringify(found)}\n` : `${diffText(found)}\n`);
};

/** For people: the two images, then layers, config and files, of which those that weigh most come first. */
export function diffText({ first, second, layers, config, files }: ImageDiff): string {
  const images = [first, second].map(({ reference, platform, layers: count, bytes, digest }, index) => [
    index === 0 ? 'first' : 'second',
    plainText(reference),
    plainText(platform),
    `${count} layers`,
    formatBytes(bytes),
    digest,
  ]);
  const { shared, onlyFirst, onlySecond } = layers;
  const layerRows = [
    ...onlyFirst.map((one) => ['first', one] as const),
    ...onlySecond.map((one) => ['second', one] as const),
  ].map(([side, { size, digest, createdBy }]) => [
    `  only in the ${side}`,
    formatBytes(size),
    digest.slice(0, 19),
    createdBy === null ? '' : plainText(createdBy, MOST_VALUE),
  ]);
  const sharedBytes = shared.reduce((sum, { size }) => sum + size, 0);
  const value = (text: string | null): string => (text === null ? '(none)' : plainText(text, MOST_VALUE));
  const configRows = config.map(({ name, before, after }) => [
    `  ${plainText(name, MOST_VALUE)}`,
    `${value(before)} -> ${value(after)}`,
  ]);
  return [
    columnsText(images),
    '',
    `layers: ${shared.length} shared (${formatBytes(sharedBytes)}), ${onlyFirst.length} only in the first, ${onlySecond.length} only in the second`,
    ...(layerRows.length > 0 ? [columnsText(layerRows)] : []),
    '',
    `config: ${config.length === 0 ? 'the same' : `${config.length} changed`}`,
    ...(configRows.length > 0 ? [columnsText(configRows)] : []),
    '',
    ...filesText(files),
  ].join('\n');
}

function filesText(files: readonly FileChange[]): readonly string[] {
  const of = (kind: FileChange['change']): string => {
    const some = files.filter(({ change }) => change === kind);
    const bytes = some.reduce((sum, { before, after }) => sum + (after ?? before ?? 0), 0);
    return `${some.length} ${kind} (${formatBytes(bytes)})`;
  };
  if (files.length === 0) return ['files: the same'];
  const rows = [...files]
    .sort((a, b) => weightOf(b) - weightOf(a))
    .slice(0, MOST_FILES)
    .map((file) => [`  ${file.change}`, sizeText(file), nameText(file)]);
  const more = files.length - rows.length;
  return [
    `files: ${of('added')}, ${of('removed')}, ${of('changed')}`,
    columnsText(rows),
    ...(more > 0 ? [`  and ${more} smaller ones, which --output json lists`] : []),
  ];
}

const weightOf = ({ before, after }: FileChange): number => Math.max(before ?? 0, after ?? 0);

function sizeText({ before, after, aspects }: FileChange): string {
  const sizes = [before, after].filter((size) => size !== null).map(formatBytes);
  return aspects.includes('content') || aspects.includes('type') ? sizes.join(' -> ') : sizes.at(-1)!;
}

function nameText({ path, type, aspects }: FileChange): string {
  const what = aspects.length > 0 ? ` (${aspects.join(', ')})` : '';
  return `/${plainText(path)}${type === 'dir' ? '/' : ''}${what}`;
}
