import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createFileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { Compression, LayerBlob } from '../../layer/types.ts';
import type { LayerEntry } from '../../tar/types.ts';

/* Helpers of the tests that need layers; no part of the product. */

/** An entry with its content. */
export interface TestEntry {
  readonly entry: LayerEntry;
  readonly content?: Buffer;
}

/** An entry with everything that is not given left plain: root's, mode 0644 (0755 for a directory), a fixed time. */
export function entryOf(type: LayerEntry['type'], path: string, over: Partial<LayerEntry> = {}): TestEntry {
  const mode = type === 'dir' ? 0o755 : type === 'symlink' ? 0o777 : 0o644;
  const plain = { path, type, mode, uid: 0, gid: 0, size: 0, mtime: 1_600_000_000, mtimeNsec: 0 };
  return { entry: { ...plain, linkname: '', devmajor: 0, devminor: 0, ...over } };
}

/** A regular file with its content, otherwise as `entryOf`. */
export function fileOf(path: string, content: string | Buffer, over: Partial<LayerEntry> = {}): TestEntry {
  const bytes = Buffer.from(content);
  return { ...entryOf('file', path, { size: bytes.length, ...over }), content: bytes };
}

/** Writes a layer into `directory` and opens it as a blob; a layer of zstd has its table of contents. */
export async function layerOf(
  directory: string,
  entries: readonly TestEntry[],
  compression: Compression = 'zstd',
): Promise<LayerBlob & { readonly file: string }> {
  const file = path.join(directory, `layer-${process.hrtime.bigint()}`);
  const writer = createFileLayerWriter(file, { compression });
  for (const { entry, content } of entries) await writer.add(entry, content && [content]);
  const { mediaType, digest, size, diffId, toc } = await writer.finish();
  return { mediaType, digest, size, diffId, ...(toc ? { toc } : {}), ...fileBlob(file), file };
}

/** How a blob in a file is read, and the store's name. */
export function fileBlob(file: string): Pick<LayerBlob, 'open' | 'readRange' | 'from'> {
  return {
    from: 'a test directory',
    open: async () => fs.createReadStream(file),
    readRange: async (offset, length) => {
      const handle = await fs.promises.open(file);
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
  };
}

/**
 * Mounts the layers with overlayfs, each unpacked by tar into a directory of its own with its whiteouts in the kernel's
 * form and its root as every engine makes it, and calls `use` with the mount point. Needs root.
 */
export async function withOverlay<T>(
  directory: string,
  layers: readonly (readonly TestEntry[])[],
  use: (root: string) => T,
): Promise<T> {
  const base = fs.mkdtempSync(path.join(directory, 'overlay-'));
  const root = path.join(base, 'root');
  const bottom = path.join(base, 'bottom');
  for (const each of [root, bottom]) fs.mkdirSync(each);
  const lower: string[] = [];
  for (const [index, entries] of layers.entries()) {
    const own = path.join(base, `${index}`);
    fs.mkdirSync(own);
    const { file } = await layerOf(base, entries, 'none');
    execFileSync('tar', [
      '-xpf',
      file,
      '-C',
      own,
      '--numeric-owner',
      '--delay-directory-restore',
      '--xattrs',
      '--xattrs-include=*',
    ]);
    lower.unshift(own);
  }
  execFileSync('python3', ['-c', CONVERT_WHITEOUTS, ...lower]);
  const options = `lowerdir=${[...lower, bottom].join(':')}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, root]);
  try {
    return use(root);
  } finally {
    execFileSync('umount', [root]);
  }
}

const CONVERT_WHITEOUTS = `
import os, stat, sys
for top in sys.argv[1:]:
    for where, _, names in os.walk(top):
        times = os.stat(where)
        for name in [n for n in names if n.startswith('.wh.')]:
            os.unlink(os.path.join(where, name))
            if name == '.wh..wh..opq':
                os.setxattr(where, 'trusted.overlay.opaque', b'y')
            elif not os.path.lexists(os.path.join(where, name[4:])):
                os.mknod(os.path.join(where, name[4:]), stat.S_IFCHR, os.makedev(0, 0))
        os.utime(where, ns=(times.st_atime_ns, times.st_mtime_ns))
    os.chmod(top, 0o755)
    os.chown(top, 0, 0)
    for name in os.listxattr(top):
        os.removexattr(top, name)
    os.utime(top, (0, 0))
`;
