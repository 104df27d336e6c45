import { AppError, toAppError } from '../../core/error.ts';
import type { LayerBlob } from '../../layer/types.ts';

/** An error that came up with a layer, as one that names the layer and where it came from. */
export function inLayer(blob: Pick<LayerBlob, 'digest' | 'from'>, thrown: unknown): AppError {
  const what = `layer ${blob.digest} from ${blob.from}`;
  if (thrown instanceof AppError) {
    if (thrown.where?.layer !== undefined) return thrown;
    return new AppError(thrown.code, `${thrown.message} (${what})`, {
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      where: { ...thrown.where, layer: blob.digest },
      cause: thrown,
    });
  }
  const errno = (thrown as NodeJS.ErrnoException | undefined)?.code;
  const denied = errno === 'EPERM' || errno === 'EACCES';
  return toAppError(thrown, denied ? 'PERMISSION' : 'INTERNAL', `cannot unpack ${what}`, {
    ...(denied ? { hint: 'unpacking with owners needs root' } : {}),
    where: { layer: blob.digest },
  });
}
