import { type Where } from '../core/error.ts';
/**
 * EXPOSE arguments as keys of ExposedPorts: `80` → `80/tcp`, `8000-8002/udp` → three keys.
 * @throws AppError DOCKERFILE for a malformed port, range or protocol
 */
export declare function exposedPorts(specs: readonly string[], where: Where): string[];
