import type { PropertyRow } from './property-types.ts';
/** Properties that say what is built. */
export declare const BUILD_ROWS: readonly PropertyRow[];
