import { type Measured, measure } from './measure.ts';

const WALK = `find "$0" -printf '%p %i %C@ %s %m\\n' > /dev/null`;

/** A walk by another program that looks at what tells whether a file has changed; of what is in memory already. */
export function find(directory: string): Promise<Measured> {
  return measure('/bin/sh', ['-c', WALK, directory]);
}
