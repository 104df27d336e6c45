import type { Environment } from '../core/environment.ts';

/** What the runtime image's launcher puts before the name of a variable that Node and the dynamic loader must not see. */
const PREFIX = 'ENVBUILDER_HIDDEN_';

/** The environment as it was before the launcher of the runtime image hid variables from Node itself (image/bundle.ts). */
export function revealHidden(env: Environment): Environment {
  const shown: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX)) shown[name] = value;
    // The launcher cannot tell an empty variable from one that is not set.
    else if (value !== '') shown[name.slice(PREFIX.length)] = value;
  }
  return Object.freeze(shown);
}
