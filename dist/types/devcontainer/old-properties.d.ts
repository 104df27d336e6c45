import type { DevcontainerConfig } from './types.ts';
/**
 * Moves properties of the time before `customizations` to `customizations.vscode`, as the reference implementation does:
 * extensions are added, settings and devPort give way to what is there.
 */
export declare function updateOldProperties(config: DevcontainerConfig): DevcontainerConfig;
