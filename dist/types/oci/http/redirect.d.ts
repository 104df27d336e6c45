import type { Readable } from 'node:stream';
import type { Transport } from './transport.ts';
import type { HttpRequest, HttpResponse } from './types.ts';
/**
 * Sends a request and follows redirects, as registries use them to hand out blobs from object storage. The Authorization
 * header goes to the first host alone, since a signed URL is refused with one, and nobody else may see it.
 * @throws AppError REGISTRY for a redirect from HTTPS to plain HTTP, or too many of them
 */
export declare function follow(transport: Transport, request: HttpRequest, insecure: boolean): Promise<HttpResponse>;
/**
 * A `Location` that a registry gave, as an absolute URL. One that differs from the registry only in being plain HTTP comes
 * from a proxy that ends TLS before the registry, and is corrected.
 * @throws AppError REGISTRY when it is no address
 */
export declare function resolveLocation(location: string, base: string): string;
/**
 * Reads a body to its end for nobody, so that its connection can be used again. One that is long or slow costs its
 * connection instead.
 */
export declare function discard(body: Readable): void;
