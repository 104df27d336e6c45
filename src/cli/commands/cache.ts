import { resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import { formatBytes } from '../../core/units.ts';
import {
  collectGarbage,
  type InventoryEntry,
  loadInventory,
  type OpenedStore,
  openStore,
  type RunOptions,
  type Store,
} from '../../index.ts';
import type { CommandBody } from '../command.ts';
import type { Parsed } from '../options/parse.ts';
import { parseAge, parseSize } from '../options/quantities.ts';
import { registrySettings } from '../requests/registries.ts';
import type { CommandContext } from '../run-context.ts';
import { tableFormat } from './explain.ts';
import { tableText } from './table-text.ts';

/** `envbuilder cache …`: what lies in a cache, on standard output as a table or as JSON. */
export const cacheCommand: CommandBody = async (parsed, context, emit) => {
  const format = tableFormat(parsed.options);
  const run = { onEvent: emit, signal: context.signal };
  await using opened = await openCache(parsed, context, run);
  const answer = await ANSWERS[parsed.command as keyof typeof ANSWERS](opened.store, {
    parsed,
    context,
    run,
  });
  context.stdout.write(format === 'json' ? `${JSON.stringify(answer.data)}\n` : `${answer.text}\n`);
  if (answer.error) throw answer.error;
};

interface Asked {
  readonly parsed: Parsed;
  readonly context: CommandContext;
  readonly run: Required<Pick<RunOptions, 'onEvent' | 'signal'>>;
}

interface Answer {
  readonly data: object;
  readonly text: string;
  /** Thrown when the answer has been printed. */
  readonly error?: AppError;
}

const ANSWERS = {
  'cache ls': list,
  'cache show': show,
  'cache du': usage,
  'cache verify': verify,
  'cache copy': copy,
  'cache prune': prune,
} as const;

/** @throws AppError USAGE without a cache */
async function openCache(
  { options }: Parsed,
  { cwd, env }: CommandContext,
  run: RunOptions,
): Promise<OpenedStore> {
  const path = options['layer-cache-dir'];
  if (path !== undefined) return openStore({ type: 'directory', path: resolve(cwd, path) }, run);
  const reference = options['cache-repo'];
  if (reference !== undefined)
    return openStore({ type: 'registry', reference, registries: registrySettings(options, env) }, run);
  throw new AppError('USAGE', 'no cache is named', {
    hint: 'name it with --cache-repo (ENVBUILDER_CACHE_REPO) or --layer-cache-dir (ENVBUILDER_LAYER_CACHE_DIR)',
  });
}

async function list(store: Store, { parsed, run }: Asked): Promise<Answer> {
  if (parsed.operands.length > 0) throw new AppError('USAGE', `unexpected argument ${parsed.operands[0]}`);
  const { readInventory, totalsOf } = await loadInventory();
  const { name, entries } = await readInventory(store, run.signal);
  const totals = totalsOf(entries);
  const rows = entries.map((entry) => [
    shortTag(entry.tags[0] ?? ''),
    entry.kind,
    entry.created?.slice(0, 16).replace('T', ' ') ?? '',
    formatBytes(sizeOf(entry)),
    entry.problem ?? (entry.step ? `${entry.step.stage}: ${entry.step.instruction}` : ''),
  ]);
  const { records, images, layers, bytes, sharedBytes } = totals;
  const sum = `${records} records and ${images} images with ${layers} layers of ${formatBytes(bytes)}, of which ${formatBytes(sharedBytes)} are shared`;
  const text = `${tableText(['TAG', 'KIND', 'CREATED', 'SIZE', 'STEP'], rows)}\n${sum}`;
  return { data: { name, totals, entries }, text };
}

async function show(store: Store, { parsed, run }: Asked): Promise<Answer> {
  const [wanted, ...more] = parsed.operands;
  if (wanted === undefined || more.length > 0) throw new AppError('USAGE', 'one key or tag is to be named');
  const { readInventory } = await loadInventory();
  const { entries } = await readInventory(store, run.signal);
  const [entry] = named(entries, [wanted], store.name);
  return { data: entry!, text: entryText(entry!) };
}

async function usage(store: Store, { run }: Asked): Promise<Answer> {
  const { readInventory, usageOf, totalsOf } = await loadInventory();
  const { entries, name } = await readInventory(store, run.signal);
  const { stages, instructions, otherBytes } = usageOf(entries);
  const rows = (list: typeof stages): readonly string[][] =>
    list.map((one) => [formatBytes(one.bytes), String(one.records), one.name]);
  const text = [
    tableText(['SIZE', 'RECORDS', 'STAGE'], rows(stages)),
    tableText(['SIZE', 'RECORDS', 'INSTRUCTION'], rows(instructions)),
    `${formatBytes(totalsOf(entries).bytes)} in ${name}, of which ${formatBytes(otherBytes)} are layers of images alone`,
  ].join('\n\n');
  return { data: { name, stages, instructions, otherBytes }, text };
}

async function verify(store: Store, { parsed, run }: Asked): Promise<Answer> {
  const { readInventory, verifyEntries } = await loadInventory();
  const { entries } = await readInventory(store, run.signal);
  const { signal } = run;
  const problems = await verifyEntries(store, entries, { readAll: parsed.options['read-all'], signal });
  const lines = problems.map(({ tag, text }) => `${shortTag(tag)}: ${text}`);
  const sum = `checked ${entries.length} entries: ${problems.length === 0 ? 'all is well' : `${problems.length} problems`}`;
  return {
    data: { entries: entries.length, problems },
    text: [...lines, sum].join('\n'),
    ...(problems.length === 0
      ? {}
      : {
          error: new AppError('CORRUPT', `the cache has ${problems.length} problems`, {
            hint: 'builds make these steps anew; remove the records with `envbuilder cache prune`, or repair a directory with `envbuilder registry check --repair`',
          }),
        }),
  };
}

async function copy(store: Store, { parsed, context, run }: Asked): Promise<Answer> {
  const [destination, ...names] = parsed.operands;
  if (destination === undefined)
    throw new AppError('USAGE', 'no destination is named', { hint: 'name a repository, /DIR or ./DIR' });
  const registries = registrySettings(parsed.options, context.env);
  await using to = await openStore(
    /^\.{0,2}\//.test(destination)
      ? { type: 'directory', path: resolve(context.cwd, destination) }
      : { type: 'registry', reference: destination, registries },
    run,
  );
  const { readInventory, copyEntries, withNotes } = await loadInventory();
  const { entries } = await readInventory(store, run.signal);
  const chosen = names.length === 0 ? entries : withNotes(entries, named(entries, names, store.name));
  const result = await copyEntries(store, to.store, chosen, run.signal);
  const text = `copied ${result.entries} entries to ${to.store.name}: ${result.blobs} blobs with ${formatBytes(result.bytes)} were not there`;
  return { data: result, text };
}

async function prune(store: Store, { parsed, context, run }: Asked): Promise<Answer> {
  const {
    'older-than': age,
    'max-size': size,
    'dry-run': dryRun,
    grace,
    'layer-cache-dir': dir,
  } = parsed.options;
  if (age === undefined && size === undefined) {
    throw new AppError('USAGE', 'nothing says what is to go', {
      hint: 'name an age with --older-than, as 30d, or a size with --max-size, as 50GB',
    });
  }
  const olderThan = age === undefined ? {} : { olderThanMs: parseAge(age, '--older-than') };
  const most = size === undefined ? {} : { maxBytes: parseSize(size, '--max-size') };
  const verb = dryRun ? 'would remove' : 'removed';
  if (dir !== undefined) {
    const root = resolve(context.cwd, dir);
    const graceMs = parseAge(grace, '--grace');
    const gone = await collectGarbage({ root, graceMs, ...olderThan, ...most, dryRun, emit: run.onEvent });
    const { tags, blobs, freedBytes, keptBytes } = gone;
    return {
      data: gone,
      text: `${verb} ${tags} tags and ${blobs} blobs (${formatBytes(freedBytes)}); ${formatBytes(keptBytes)} are in use`,
    };
  }
  const { pruneRepository } = await loadInventory();
  const rules = { ...olderThan, ...most, now: Date.now() };
  const { drop, needed, notes, freedBytes } = await pruneRepository(store, rules, {
    dryRun,
    signal: run.signal,
  });
  const text = `${verb} ${drop.length} records and ${notes.length} notes on records that are gone; ${needed.length} that are as old stay, since others need their layers; the registry can free ${formatBytes(freedBytes)}`;
  const tagsOf = (entries: readonly InventoryEntry[]) => entries.map(({ tags }) => tags[0]);
  return { data: { dropped: tagsOf(drop), needed: tagsOf(needed), notes: tagsOf(notes), freedBytes }, text };
}

/** The entries that names stand for. @throws AppError REFERENCE, USAGE where a name stands for several */
function named(
  entries: readonly InventoryEntry[],
  names: readonly string[],
  place: string,
): readonly InventoryEntry[] {
  return names.map((name) => {
    const wanted = name.replace(/^sha256:/, '');
    const is = (tag: string): boolean => tag === wanted;
    const exact = entries.filter(({ tags, digest }) => tags.some(is) || digest === name);
    const found =
      exact.length > 0 ? exact : entries.filter(({ tags }) => tags.some((tag) => tag.startsWith(wanted)));
    if (found.length === 1) return found[0]!;
    if (found.length > 1) throw new AppError('USAGE', `${name} is the beginning of ${found.length} names`);
    throw new AppError('REFERENCE', `there is no ${name} in ${place}`, {
      hint: '`envbuilder cache ls` lists what there is',
    });
  });
}

function entryText(entry: InventoryEntry): string {
  const { kind, digest, tags, created, layers, step, record, problem } = entry;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['kind', kind],
    ['digest', digest],
    ['tags', tags.join(', ')],
    ['created', created ?? undefined],
    ['problem', problem ?? undefined],
    ['stage', step?.stage],
    ['instruction', step?.instruction],
    ['key', record?.key],
    ['content key', record?.contentKey ?? undefined],
    ['base', record?.base],
    ['platform', record?.platform],
    ['signed by', record ? record.signedBy.join(', ') || 'nobody' : undefined],
    ['made of', record ? Object.keys(record.fields).join(', ') : undefined],
  ];
  const lines = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name.padEnd(12)} ${value}`],
  );
  const chain = record ? record.chain : layers;
  const layerRows = chain.map((layer) => [formatBytes(layer.size), layer.digest]);
  return [...lines, ...(chain.length > 0 ? ['', tableText(['SIZE', 'LAYER'], layerRows)] : [])].join('\n');
}

const sizeOf = ({ layers }: InventoryEntry): number => layers.reduce((sum, { size }) => sum + size, 0);

/** Keys are known by their beginning. */
const shortTag = (tag: string): string => (/^[0-9a-f]{64}$/.test(tag) ? tag.slice(0, 12) : tag);
