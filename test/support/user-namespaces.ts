import type { TestContext } from 'node:test';
import { capture } from '../../scripts/lib/shell.ts';

/**
 * Whether this machine allows an ordinary user no user namespaces; the test is skipped then.
 * @param user name or id
 */
export async function noNamespaces(t: TestContext, user: string | number): Promise<boolean> {
  const { code } = await capture('setpriv', [
    `--reuid=${user}`,
    '--clear-groups',
    'unshare',
    '--user',
    'true',
  ]);
  if (code !== 0) t.skip('this machine allows ordinary users no user namespaces');
  return code !== 0;
}
