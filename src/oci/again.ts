import { AppError } from '../core/error.ts';

/** Does something a second time when what came was not what its digest says: bytes are now and then wrong on their way. */
export async function againIfCorrupt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'CORRUPT') return work();
    throw error;
  }
}
