import { chmodSync, chownSync, closeSync, constants, openSync, realpathSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { once } from '../../core/concurrency.ts';

export interface SocketOwner {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
}

/**
 * Makes a socket of our own in front of that of an agent, so that it can belong to whom a RUN says, whoever owns the agent's.
 * @param agent the user's own path, whose links are followed
 * @param path of a file that does not exist, in a directory of ours
 * @returns what cuts all connections and removes it
 * @throws Error as node:fs does where the agent has no socket
 */
export async function offerAgent(
  agent: string,
  path: string,
  { uid, gid, mode }: SocketOwner,
): Promise<() => Promise<void>> {
  const open = new Set<Socket>();
  const kept: number[] = [];
  // The address of a socket has room for 107 bytes; what is named below a descriptor always fits.
  const short = (long: string): string => {
    const fd = openSync(dirname(long), constants.O_RDONLY | constants.O_DIRECTORY);
    kept.push(fd);
    return `/proc/self/fd/${fd}/${basename(long)}`;
  };
  const release = (): void => {
    for (const fd of kept.splice(0)) closeSync(fd);
  };
  const server = createServer({ allowHalfOpen: true });
  try {
    const target = short(realpathSync(agent));
    server.on('connection', (client) => {
      const upstream = connect({ path: target, allowHalfOpen: true });
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        open.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          open.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(short(path), resolve);
    });
    chownSync(path, uid, gid);
    chmodSync(path, mode & 0o777);
  } catch (error) {
    server.close();
    release();
    throw error;
  }
  return once(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
    release();
  });
}
