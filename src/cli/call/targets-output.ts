import type { DescribedDockerfile, TargetDescription } from '../../index.ts';
import { base64, columns, location } from './locations.ts';

/** The stages of a Dockerfile, in the shape of BuildKit's `frontend.targets`. */
export function targetsJson({
  content,
  described,
}: DescribedDockerfile<readonly TargetDescription[]>): object {
  return {
    targets: described.map(({ default: isDefault, range, ...target }) => ({
      ...target,
      ...(isDefault ? { default: true } : {}),
      location: location(range),
    })),
    sources: [base64(content)],
  };
}

/** The stages of a Dockerfile, as a table. */
export function targetsText(targets: readonly TargetDescription[]): string {
  const rows = targets.map(({ name = '', default: isDefault, description = '' }) => [
    isDefault ? `${name} (default)`.trim() : name,
    description,
  ]);
  return columns([['TARGET', 'DESCRIPTION'], ...rows], 1);
}
