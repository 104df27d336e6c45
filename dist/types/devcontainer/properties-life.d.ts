import type { PropertyRow } from './property-types.ts';
/** Hooks, and what concerns editors. */
export declare const LIFE_ROWS: readonly PropertyRow[];
