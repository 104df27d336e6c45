import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { makeDirectories } from '../../core/make-directories.ts';
import type { ContainerConfig } from '../../oci/types.ts';
import { type OwnIds, ROOT_IDS } from '../../sys/user-namespace.ts';
import type { PrepareDeps } from '../types.ts';
import type { DockerEngine } from './engine.ts';

export interface ImageDeps extends Pick<PrepareDeps, 'build'> {
  readonly docker: DockerEngine;
  /** A directory for what is handed over. */
  readonly directory: string;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** An image that an engine has. */
export interface LoadedImage {
  readonly image: string;
  readonly config: ContainerConfig;
}

/** Builds the image of a dev container, and hands it to the engine. @throws AppError of any code */
export async function loadImage(
  name: string,
  { build, docker, directory, emit, signal }: ImageDeps,
): Promise<LoadedImage> {
  makeDirectories(directory, 0o700);
  const archive = join(directory, `${name}.tar`);
  rmSync(archive, { force: true });
  try {
    const config = await build({ archive }, process.geteuid?.() === 0 ? undefined : ROOT_IDS);
    emit({ type: 'message', level: 'info', text: 'loading the image into Docker' });
    const said = await docker.call(['load', '--input', archive], {
      doing: 'load the image into Docker',
      signal,
    });
    const loaded = /^Loaded image(?: ID)?: (\S+)$/m.exec(said)?.[1];
    if (loaded === undefined)
      throw new AppError(
        'START_FAILED',
        `docker load does not say which image it has loaded: ${said.trim()}`,
      );
    const image = `envbuilder-${name}`;
    await docker.call(['tag', loaded, image], { doing: 'name the image', signal });
    return { image, config };
  } finally {
    rmSync(archive, { force: true });
  }
}

/**
 * Gives a user of an image the ids of the user of the machine, so that each can write what the other has made, as the
 * reference implementation does it: nothing changes where somebody else has the id.
 */
const CHANGE_IDS = `old=$(sed -n "s/^$NAME:[^:]*:\\([^:]*\\):\\([^:]*\\):.*/\\1:\\2/p" /etc/passwd | head -n 1)
home=$(sed -n "s/^$NAME:[^:]*:[^:]*:[^:]*:[^:]*:\\([^:]*\\).*/\\1/p" /etc/passwd | head -n 1)
[ -n "$old" ] || exit 0
[ "$old" != "$UID_:$GID_" ] || exit 0
if [ "\${old%%:*}" != "$UID_" ] && grep -q "^[^:]*:[^:]*:$UID_:" /etc/passwd; then exit 0; fi
if [ "\${old##*:}" != "$GID_" ] && grep -q "^[^:]*:[^:]*:$GID_:" /etc/group; then GID_=\${old##*:}; fi
sed -i "s/^\\($NAME:[^:]*:\\)[^:]*:[^:]*/\\1$UID_:$GID_/" /etc/passwd
sed -i "s/^\\([^:]*:[^:]*:\\)\${old##*:}:/\\1$GID_:/" /etc/group
[ -z "$home" ] || chown -R "$UID_:$GID_" "$home"`;

/**
 * The image with the remoteUser's ids changed, where that is asked for and makes a difference.
 * @throws AppError START_FAILED
 */
export async function withOwnIds(
  { image, config }: LoadedImage,
  { remoteUser, ids: { uid, gid } }: { readonly remoteUser: string; readonly ids: OwnIds },
  { docker, signal, emit }: Pick<ImageDeps, 'docker' | 'signal' | 'emit'>,
): Promise<LoadedImage> {
  if (uid === 0 || remoteUser === 'root' || !/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(remoteUser))
    return { image, config };
  emit({ type: 'message', level: 'info', text: `giving ${remoteUser} the ids ${uid}:${gid}` });
  const own = `${image}-uid`;
  const dockerfile = [
    `FROM ${image}`,
    'USER root',
    `RUN ["/bin/sh", "-c", ${JSON.stringify(`NAME='${remoteUser}' UID_=${uid} GID_=${gid}\n${CHANGE_IDS}`)}]`,
    `USER ${config.User || 'root'}`,
    '',
  ].join('\n');
  await docker.call(['build', '--network=none', '--tag', own, '-'], {
    doing: `change the ids of ${remoteUser} in the image`,
    input: dockerfile,
    signal,
  });
  return { image: own, config };
}
