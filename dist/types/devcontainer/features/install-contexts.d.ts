import type { DeferredFiles } from '../../plan/inputs.ts';
import type { ChosenFeature, FeaturesRequest } from './types.ts';
/** The script that a RUN runs, in what it mounts. */
export declare const SCRIPT = "install";
/** Files for the step that looks up the users. */
export declare function usersContext(request: Pick<FeaturesRequest, 'containerUser' | 'remoteUser'>): DeferredFiles;
/** Files for the step that installs a feature: its own, its options, and the script. Their digest needs no download. */
export declare function featureContext(chosen: ChosenFeature, index: number): DeferredFiles;
