import type { Platform } from '../oci/types.ts';
import type { PlanInput } from './inputs.ts';
import type { PlannedStage } from './types.ts';

/**
 * What an image says that it is for: the platform that was asked for, and otherwise that of the base of its target. An
 * image on top of nothing is for the platform of the build, whatever its FROM says.
 */
export function imagePlatform(
  { platform, platformAsked = false }: Pick<PlanInput, 'platform' | 'platformAsked'>,
  lineage: readonly PlannedStage[],
): Platform {
  const root = lineage[0]!;
  if (root.base.type === 'scratch') return platform;
  const own = root.platform;
  if (!platformAsked) return own;
  const same = own.os === platform.os && own.architecture === platform.architecture;
  return same && platform.variant === undefined ? own : platform;
}
