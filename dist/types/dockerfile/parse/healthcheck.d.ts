import type { HealthcheckInstruction } from '../types.ts';
import { type Statement } from './statement.ts';
/** `HEALTHCHECK [flags] CMD command` or `HEALTHCHECK NONE`. */
export declare function parseHealthcheck(statement: Statement): HealthcheckInstruction;
