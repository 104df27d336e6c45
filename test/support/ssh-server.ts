import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ensurePackages } from '../../scripts/lib/debian.ts';
import { startService, waitUntilReady } from '../../scripts/lib/service-process.ts';
import { run } from '../../scripts/lib/shell.ts';
import { freePort } from '../../src/core/testing.ts';

/** OpenSSH's server with a configuration of its own. */
export interface SshServer {
  readonly port: number;
  /** A private key that may log in, as a file and as text. */
  readonly keyFile: string;
  readonly key: string;
  /** A line for a file of known hosts. */
  readonly knownHost: string;
  /** A private key that may not log in. */
  readonly strangerFile: string;
  readonly stop: () => Promise<void>;
}

/** Starts one on a free port of 127.0.0.1, for the user that we are. */
export async function startSshServer(dir: string): Promise<SshServer> {
  await ensurePackages(['openssh-server']);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  mkdirSync('/run/sshd', { recursive: true });
  for (const name of ['host', 'client', 'stranger'])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(dir, name)]);
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8');
  writeFileSync(join(dir, 'authorized'), read('client.pub'));
  chmodSync(join(dir, 'authorized'), 0o600);
  const port = await freePort();
  writeFileSync(
    join(dir, 'config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${dir}/host`,
      `AuthorizedKeysFile ${dir}/authorized`,
      `PidFile ${dir}/pid`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'SetEnv GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*',
      '',
    ].join('\n'),
  );
  const service = startService('/usr/sbin/sshd', ['-D', '-e', '-f', join(dir, 'config')], join(dir, 'log'));
  await waitUntilReady('sshd', service, () => answers(port));
  return {
    port,
    keyFile: join(dir, 'client'),
    key: read('client'),
    knownHost: `[127.0.0.1]:${port} ${read('host.pub')}`,
    strangerFile: join(dir, 'stranger'),
    stop: () => service.stop(),
  };
}

function answers(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
  });
}
