import { AppError, toAppError } from '../../core/error.ts';
import { missingRight } from '../../core/missing-right.ts';
import type { LayerBlob } from '../../layer/types.ts';

/** What a file system says to names, attributes and numbers that it cannot hold, or to a path that is something else. */
const BY_CONTENT: ReadonlySet<string> = new Set([
  'E2BIG',
  'EEXIST',
  'EFBIG',
  'EILSEQ',
  'EINVAL',
  'EISDIR',
  'ELOOP',
  'EMLINK',
  'ENAMETOOLONG',
  'ENODEV',
  'ENOENT',
  'ENOTDIR',
  'ENOTEMPTY',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EOVERFLOW',
  'ERANGE',
  'ERR_INVALID_ARG_TYPE',
  'ERR_INVALID_ARG_VALUE',
  'ERR_OUT_OF_RANGE',
]);

/** True of whatever holds a layer: a registry, a cache, a directory. */
const DAMAGED_HINT = 'have the image pushed or cached anew there, or use another one';

/** An error that came up with a layer, as one that names the layer and where it came from. */
export function inLayer(blob: Pick<LayerBlob, 'digest' | 'from'>, thrown: unknown): AppError {
  const what = `layer ${blob.digest} from ${blob.from}`;
  if (thrown instanceof AppError) {
    if (thrown.where?.layer !== undefined) return thrown;
    const hint = thrown.hint ?? (thrown.code === 'CORRUPT' ? DAMAGED_HINT : undefined);
    return new AppError(thrown.code, `${thrown.message} (${what})`, {
      ...(hint === undefined ? {} : { hint }),
      where: { ...thrown.where, layer: blob.digest },
      cause: thrown,
    });
  }
  const errno = (thrown as NodeJS.ErrnoException | undefined)?.code ?? '';
  const denied = errno === 'EPERM' || errno === 'EACCES' || missingRight(thrown) !== undefined;
  const code = denied ? 'PERMISSION' : BY_CONTENT.has(errno) ? 'CORRUPT' : 'INTERNAL';
  return toAppError(thrown, code, `cannot unpack ${what}`, {
    ...(denied ? { hint: hintFor(thrown) } : code === 'CORRUPT' ? { hint: DAMAGED_HINT } : {}),
    where: { layer: blob.digest },
  });
}

/** Does something for a layer, whose errors name it; without any layer they stay as they are. */
export function withinLayer<T>(blob: Pick<LayerBlob, 'digest' | 'from'> | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw blob ? inLayer(blob, error) : error;
  }
}

function hintFor(thrown: unknown): string {
  return missingRight(thrown)?.hint ?? 'unpacking with owners needs root';
}
