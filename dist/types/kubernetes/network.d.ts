import type { ManifestSettings, NetworkPolicy } from './types.ts';
/** Who may talk to whom: workspaces and the warmer go out, the registry hears them alone. */
export declare function networkPolicies(settings: ManifestSettings): readonly NetworkPolicy[];
