import type { Variables } from '../../start/environment.ts';

/** Those that the docker command itself goes by. */
const OF_THE_CLIENT =
  /^(?:DOCKER_.*|BUILD.*|.*_proxy|HOME|PATH|USER|SSH_.*|XDG_.*|LD_.*|GO[A-Z]+|TMPDIR|TERM|LANG|LC_.*|NO_COLOR)$/i;

/**
 * Gives variables to docker run and exec: values by the command's own environment, so that nobody reads them in its
 * arguments, but for those that it goes by itself.
 */
export function environmentFlags(variables: Variables): {
  readonly flags: readonly string[];
  readonly env: Variables;
} {
  const entries = Object.entries(variables);
  const isOwn = ([name]: readonly [string, string]): boolean => OF_THE_CLIENT.test(name);
  return {
    flags: entries.flatMap((entry) => ['--env', isOwn(entry) ? entry.join('=') : entry[0]]),
    env: Object.fromEntries(entries.filter((entry) => !isOwn(entry))),
  };
}
