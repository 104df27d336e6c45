import type { Descriptor, Store } from './types.ts';
/**
 * Copies a blob from one store to another; nothing is read where it exists already. The bytes are verified on the way.
 * @param options.mountFrom the source's repository, where both stores are repositories of one registry
 * @throws AppError as Store.get and Store.put do
 */
export declare function copyBlob(from: Store, to: Store, descriptor: Descriptor, options?: {
    readonly mountFrom?: string;
    readonly signal?: AbortSignal;
}): Promise<'stored' | 'mounted' | 'exists'>;
