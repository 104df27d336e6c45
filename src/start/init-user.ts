import type { ContainerConfig } from '../oci/types.ts';
import type { StartedDevcontainer } from './types.ts';

/** Who runs hooks and the init command, and where that is said. */
export interface InitUser {
  /** A name, a number, or `user:group`; '' is root. */
  readonly user: string;
  /** For messages. */
  readonly source: string;
  /** Set where somebody may have expected another one. */
  readonly note?: string;
}

/**
 * The user of a start: the containerUser that devcontainer.json itself gives, as the Go program has it; else the
 * remoteUser, the file's or the image's; else the user of the container.
 * @param wanted ENVBUILDER_INIT_USER: `container` is the user of the container, `remote` the one that the specification has
 * for tools and hooks, all else names a user
 */
export function initUser(
  wanted: string | undefined,
  { ownContainerUser, remoteUser, containerUser }: StartedDevcontainer,
  { User = '' }: Pick<ContainerConfig, 'User'>,
): InitUser {
  const container: InitUser = containerUser
    ? { user: containerUser, source: 'the containerUser' }
    : { user: User, source: 'USER of the image' };
  const remote: InitUser = remoteUser ? { user: remoteUser, source: 'the remoteUser' } : container;
  if (wanted === 'container') return container;
  if (wanted === 'remote') return remote;
  if (wanted) return { user: wanted, source: 'ENVBUILDER_INIT_USER' };
  if (!ownContainerUser) return remote;
  const own = { user: ownContainerUser, source: 'the containerUser of devcontainer.json' };
  if (remote.user === own.user) return own;
  return {
    ...own,
    note: `${own.user}, ${own.source}, runs hooks and the init command, and not the remoteUser ${remote.user}; ENVBUILDER_INIT_USER=remote chooses that one`,
  };
}
