import type { Emit } from '../core/events.ts';
import type { Devcontainer, UserEnvProbe } from '../devcontainer/types.ts';
import type { Account } from '../start/account.ts';
import { type Variables, withAccount } from '../start/environment.ts';
import { mergeShell, probeUserEnvironment } from '../start/user-env.ts';
import type { runAs } from '../sys/run-as.ts';
import { withRemote } from './environment.ts';

/** Whose environment it is, and what it is made of. */
export interface RemoteUser {
  readonly devcontainer: Devcontainer;
  readonly account: Account;
  /** That of the container. */
  readonly env: Variables;
  /** Set for this time alone. */
  readonly remoteEnv: Variables;
  /** Where the dev container does not say. */
  readonly defaultProbe: UserEnvProbe | undefined;
}

/** The environment of hooks and of the user's processes: what the user's own shell says, and remoteEnv above it. */
export async function remoteEnvironment(
  { devcontainer, account, env, remoteEnv, defaultProbe }: RemoteUser,
  deps: { readonly runAs: typeof runAs; readonly emit: Emit; readonly signal: AbortSignal },
): Promise<Variables> {
  const stated = devcontainer.metadata.some(({ entry }) => entry.userEnvProbe !== undefined);
  const kind = stated ? devcontainer.userEnvProbe : (defaultProbe ?? devcontainer.userEnvProbe);
  const own = withAccount(env, account);
  const added = await probeUserEnvironment(kind, { ...deps, account, env: own, asked: stated });
  return withRemote(added ? mergeShell(own, added) : own, devcontainer.remoteEnv, remoteEnv);
}
