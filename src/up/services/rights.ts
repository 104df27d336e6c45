import type { ProjectService } from '../../devcontainer/compose/services.ts';
import { CAPABILITY_NAMES } from '../../sys/capabilities.ts';

/** What a container of a service may do besides, and may not. */
export function rightsOf({ all, capAdd, capDrop }: ProjectService): {
  readonly privileged: boolean;
  readonly capabilities: readonly number[];
  readonly dropped: readonly number[];
} {
  const number = (name: string): number => CAPABILITY_NAMES.indexOf(name.toUpperCase().replace(/^CAP_/, ''));
  const isAll = (names: readonly string[]): boolean => names.some((name) => name.toUpperCase() === 'ALL');
  return {
    privileged: all.privileged === true || isAll(capAdd),
    capabilities: capAdd.map(number).filter((at) => at >= 0),
    dropped: isAll(capDrop) ? CAPABILITY_NAMES.map((_, at) => at) : capDrop.map(number),
  };
}
