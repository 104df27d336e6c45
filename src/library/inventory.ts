/** The parts of an inventory that a program may use. */
export { copyEntries, withNotes } from '../inventory/copy.ts';
export { pruneRepository } from '../inventory/prune.ts';
export { readInventory, totalsOf } from '../inventory/read.ts';
export { usageOf } from '../inventory/usage.ts';
export { verifyEntries } from '../inventory/verify.ts';
