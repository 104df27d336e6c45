import type { Environment } from '../../core/environment.ts';
import { OPTIONS } from '../options/table.ts';

/** The Coder agent, which users start, reads these itself. */
const OF_THE_AGENT = 'CODER_AGENT_';
const SUBSYSTEMS = 'CODER_AGENT_SUBSYSTEM';

/**
 * The part of our environment that is not ours: what `${localEnv:…}` sees, and what user code starts from. A Coder agent
 * that is started in it reports that we made its surroundings.
 */
export function userEnvironment(env: Environment): Readonly<Record<string, string>> {
  const options = new Set(OPTIONS.flatMap(({ variable }) => (variable ? [variable] : [])));
  const isOurs = (name: string): boolean =>
    name.startsWith('ENVBUILDER_') || (options.has(name) && !name.startsWith(OF_THE_AGENT));
  const entries = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !isOurs(entry[0]),
  );
  const own = Object.fromEntries(entries);
  if (!own.CODER_AGENT_TOKEN) return own;
  const subsystems = (own[SUBSYSTEMS] ?? '').split(',').filter(Boolean);
  return { ...own, [SUBSYSTEMS]: [...new Set([...subsystems, 'envbuilder'])].join(',') };
}
