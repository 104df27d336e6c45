import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, findAccount } from '../../start/account.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import type { DockerContainer } from './containers.ts';
import type { DockerEngine } from './engine.ts';

const FILES = ['passwd', 'group'] as const;

/**
 * Who a name, a number or `user:group` is in a container that runs.
 * @param why says where the name comes from, for the error
 * @throws AppError START_FAILED when the container does not know the name
 */
export async function accountInDocker(
  docker: DockerEngine,
  { id }: Pick<DockerContainer, 'id'>,
  user: string,
  { why, signal }: { readonly why: string; readonly signal: AbortSignal },
): Promise<Account> {
  const script = FILES.map((file) => `cat /etc/${file} 2>/dev/null`).join("; printf '\\0'; ");
  const texts = await docker.call(['exec', '--user', '0', id, '/bin/sh', '-c', `${script}; :`], {
    doing: 'look up users in the container',
    signal,
  });
  const root = mkdtempSync(join(tmpdir(), 'envbuilder-users-'));
  try {
    mkdirSync(join(root, 'etc'));
    for (const [at, file] of FILES.entries())
      writeFileSync(join(root, 'etc', file), texts.split('\0')[at] ?? '');
    return findAccount(root, user, why);
  } finally {
    removeTree(root);
  }
}
