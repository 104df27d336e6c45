import { createHash } from 'node:crypto';
import { PassThrough, pipeline, type Readable, Transform } from 'node:stream';
import { AppError } from '../../core/error.ts';
import { readLayer } from '../../layer/read-layer.ts';
import type { LayerBlob, LayerReader } from '../../layer/types.ts';
import { createHoleCount } from '../../sys/room.ts';
import { isHole } from '../../tar/sparse.ts';
import type { LayerEntry } from '../../tar/types.ts';
import type { ExtractRequest } from '../types.ts';
import { inLayer } from './errors.ts';
import type { Node, Tree } from './tree.ts';
import type { TreeWriter } from './tree-writer.ts';
import type { Union } from './union.ts';

export interface StreamDeps {
  /** Where the writer writes. */
  readonly target: string;
  readonly writer: TreeWriter;
  readonly union: Union;
  /** Whether a file is not to appear at its path, though hard links may need its content. */
  readonly hides: (node: Node) => boolean;
  /** Called with the compressed bytes of each chunk. */
  readonly advance: (bytes: number) => void;
  readonly seen: ExtractRequest['seen'];
  readonly digests: ExtractRequest['digests'];
  readonly signal: AbortSignal | undefined;
}

/** Layers that are opened ahead of the one that is written, and the compressed bytes that each may hold. */
const OPEN_AHEAD = 3;
const BUFFER_BYTES = 8 << 20;

/**
 * Applies whole layers in order, straight to disk. The union must have been made with `writer.remove` for removed nodes.
 * Symlinks, devices and empty directories are left to the end, when it is known which of them stay.
 */
export async function extractStreams(layers: readonly LayerBlob[], deps: StreamDeps): Promise<void> {
  const opened: Promise<Readable>[] = [];
  const stop = (): void => {
    for (const stream of opened) stream.then((readable) => readable.destroy()).catch(() => {});
  };
  deps.signal?.addEventListener('abort', stop);
  try {
    for (const [index, blob] of layers.entries()) {
      while (opened.length < Math.min(layers.length, index + OPEN_AHEAD)) {
        const next = openBuffered(layers[opened.length]!, deps.advance);
        next.catch(() => {});
        opened.push(next);
      }
      try {
        deps.union.beginLayer();
        const stream = await opened[index]!;
        const hash = blob.checkDiffId ? createHash('sha256') : undefined;
        const told = hash ? { onPlain: (bytes: Buffer) => void hash.update(bytes) } : {};
        const reader = readLayer(stream, blob.mediaType, blob.digest, { brief: true, ...told });
        await extractStream(reader, deps, deps.seen?.(blob.digest));
        if (hash && `sha256:${hash.digest('hex')}` !== blob.diffId) throw otherDiffId(blob);
        deps.union.endLayer();
      } catch (error) {
        deps.signal?.throwIfAborted();
        throw inLayer(blob, error);
      }
    }
  } finally {
    deps.signal?.removeEventListener('abort', stop);
    stop();
  }
}

/** As Docker refuses it. Keys are made of diffIDs, so one that lies would let a step be taken for that of another image. */
function otherDiffId({ diffId }: LayerBlob): AppError {
  return new AppError('CORRUPT', `the layer's content is not ${diffId}, as the image's config says`);
}

async function extractStream(
  reader: LayerReader,
  deps: StreamDeps,
  seen: ((entry: LayerEntry) => void) | undefined,
): Promise<void> {
  const { union, writer, digests } = deps;
  const { tree } = union;
  const countHoles = createHoleCount('a layer', deps.target);
  for await (const { entry, content, holes } of reader) {
    deps.signal?.throwIfAborted();
    seen?.(entry);
    const node = union.apply(entry);
    if (node === undefined || tree.type(node) !== 'file') continue;
    const aside = deps.hides(node);
    digests?.set(tree.path(node), undefined);
    if (entry.type === 'hardlink') linkNow(entry, node, aside, writer);
    else {
      countHoles({ path: entry.path, size: entry.size, holes });
      if (aside) writer.setAside(node);
      if (entry.size === 0) writer.leaf(node);
      else await writeContent(tree, node, content, { writer, digests });
    }
  }
}

function linkNow(entry: LayerEntry, node: Node, aside: boolean, writer: TreeWriter): void {
  if (aside ? writer.linkAside(node) : writer.link(node)) return;
  throw new AppError(
    'CORRUPT',
    `the hard link "${entry.path}" points to a file that the same layer replaced`,
  );
}

async function writeContent(
  tree: Tree,
  node: Node,
  content: AsyncIterable<Buffer>,
  { writer, digests }: Pick<StreamDeps, 'writer' | 'digests'>,
): Promise<void> {
  const { size } = tree.entry(node);
  const hash = digests?.wants(size) ? createHash('sha256') : undefined;
  let fd: number | undefined;
  let written = 0;
  let stored = 0;
  try {
    for await (const chunk of content) {
      const hole = isHole(chunk);
      hash?.update(chunk);
      if (fd === undefined && chunk.length === size && !hole) writer.file(node, chunk);
      else {
        fd ??= writer.open(node);
        if (!hole) writer.write(fd, chunk, written);
      }
      written += chunk.length;
      if (!hole) stored = written;
    }
    if (fd !== undefined && stored < written) writer.extend(fd, written);
    if (written !== size)
      throw new AppError('CORRUPT', `"${tree.path(node)}" has ${written} bytes instead of ${size}`);
  } catch (error) {
    if (fd !== undefined) writer.discard(fd);
    throw error;
  }
  if (fd !== undefined) writer.close(fd, node);
  if (hash) digests?.set(tree.path(node), hash.digest('hex'));
}

async function openBuffered(blob: LayerBlob, advance: (bytes: number) => void): Promise<Readable> {
  const source = await blob.open();
  const buffer = new PassThrough({ highWaterMark: BUFFER_BYTES });
  let bytes = 0;
  const counter = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes > blob.size)
        return done(new AppError('CORRUPT', `there is more of it than its ${blob.size} bytes`));
      advance(chunk.length);
      done(null, chunk);
    },
  });
  pipeline(source, buffer, counter, () => {});
  return counter;
}
