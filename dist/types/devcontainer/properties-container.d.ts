import type { PropertyRow } from './property-types.ts';
/** Properties about the container and its users. */
export declare const CONTAINER_ROWS: readonly PropertyRow[];
