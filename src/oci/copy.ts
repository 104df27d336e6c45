import { againIfCorrupt } from './again.ts';
import { bytesSource, storeSource } from './blob-source.ts';
import { embeddedData } from './image.ts';
import type { Descriptor, Store } from './types.ts';

/**
 * Copies a blob from one store to another; nothing is read where it exists already. The bytes are verified on the way, and read a
 * second time when they are wrong.
 * @param options.mountFrom the source's repository, where both stores are repositories of one registry
 * @throws AppError as Store.get and Store.put do
 */
export async function copyBlob(
  from: Store,
  to: Store,
  descriptor: Descriptor,
  options: { readonly mountFrom?: string; readonly signal?: AbortSignal } = {},
): Promise<'stored' | 'mounted' | 'exists'> {
  const embedded = embeddedData(descriptor);
  if (embedded !== undefined) return to.put(bytesSource(embedded), options.signal);
  return againIfCorrupt(() => to.put(storeSource(from, descriptor, options), options.signal));
}
