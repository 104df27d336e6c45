import type { ReadConfig } from '../read-config.ts';
import type { Ungranted } from '../types.ts';
import type { ComposeService } from './service.ts';
interface KeyGroup {
    readonly keys: readonly string[];
    readonly why: string;
}
/** Keys of a service that a container that runs already cannot be given, and why. */
export declare const UNGRANTED_KEYS: readonly KeyGroup[];
/** Keys of a service that are honoured. */
export declare const GRANTED_KEYS: readonly string[];
/** What of a Compose service does not fit into one container that runs already. */
export declare function ungrantedOfService(service: ComposeService, name: string, { file, folder }: Pick<ReadConfig, 'file' | 'folder'>): readonly Ungranted[];
export {};
