import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import type { ProjectService } from '../../devcontainer/compose/services.ts';
import type { ContainerSpec } from '../spec.ts';

/** What of a service makes it another one. */
export type Fingerprinted = Pick<ContainerSpec, 'files' | 'mounts'> & { readonly service: ProjectService };

const BYTES = 24;

/** A mark of what a service is; values of variables cannot be guessed from it as fast as from a plain hash. */
export function fingerprint(of: Fingerprinted, salt = randomBytes(BYTES)): string {
  return `${salt.toString('hex')}:${scryptSync(textOf(of), salt, BYTES).toString('hex')}`;
}

/** Whether a service is still what the mark was made of. */
export function isSame(mark: string, of: Fingerprinted): boolean {
  const salt = Buffer.from(mark.split(':')[0] ?? '', 'hex');
  const again = Buffer.from(fingerprint(of, salt));
  const known = Buffer.from(mark);
  return again.length === known.length && timingSafeEqual(again, known);
}

function textOf({ service: { all, environment, build }, files = [], mounts }: Fingerprinted): string {
  // What is given to whoever waits for it changes nothing about itself.
  const { depends_on: _, ...own } = all;
  const context = build === undefined ? {} : { ...build, dockerfileWhere: undefined };
  return JSON.stringify([own, environment, context, files, mounts]);
}
