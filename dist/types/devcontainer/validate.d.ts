import type { Emit } from '../core/events.ts';
import type { JsonDocument } from './document.ts';
import type { DevcontainerConfig } from './types.ts';
/**
 * Checks the properties of a devcontainer.json. Unknown ones are kept and warned about; numbers and booleans where
 * variables want text become text; null counts as left out.
 * @throws AppError DEVCONTAINER at the first value of a wrong type, unless the property has no effect here anyway
 */
export declare function checkProperties(document: JsonDocument, emit: Emit): DevcontainerConfig;
