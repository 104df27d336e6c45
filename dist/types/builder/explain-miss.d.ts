import type { Store } from '../oci/types.ts';
import type { Plan, Step } from '../plan/types.ts';
/** Stores the trace of a finished build. */
export declare function storeTrace(store: Store, plan: Plan, signal: AbortSignal): Promise<void>;
/** Why a step misses, when an earlier build of the same Dockerfile left a trace; undefined when it cannot be told. */
export declare function explainMiss(store: Store, plan: Plan, step: Step, signal: AbortSignal): Promise<string | undefined>;
