import { createHash } from 'node:crypto';
import type { RawImage } from './read-image.ts';
import { readTar } from './tar-reader.ts';

/**
 * The entries of every layer of an image, in order, one line each; times of what was made later than `madeAfter` are not
 * told apart. Two builders with the same lists write the same bytes, but for those times.
 */
export function listLayers(image: RawImage, madeAfter: number): string[][] {
  return image.layers.map((layer) =>
    [...readTar(layer)].map((entry) => {
      const { name, type, mode, uid, gid, mtime, linkname, major, minor, xattrs, data } = entry;
      const time = mtime >= madeAfter ? 'new' : mtime;
      const content = createHash('sha256').update(data).digest('hex').slice(0, 16);
      const device = major || minor ? ` ${major}:${minor}` : '';
      const more = Object.keys(xattrs).length > 0 ? ` ${JSON.stringify(xattrs)}` : '';
      return `${type} ${mode.toString(8)} ${uid}:${gid} ${time} ${name} ${linkname}${device} ${data.length} ${content}${more}`;
    }),
  );
}
