import { existsSync } from 'node:fs';
import { capture, run, step } from './shell.ts';

const aptEnv = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
const aptOptions = [
  '-qq',
  '-o',
  'DPkg::Lock::Timeout=900',
  '-o',
  'Dpkg::Use-Pty=0',
  '-o',
  'Acquire::Retries=3',
];

/**
 * Makes sure that Debian packages are installed; does nothing, and needs no right, when they already are.
 * @throws Error that says what to do where the system is not Debian-like or we are not root
 */
export async function ensurePackages(names: readonly string[]): Promise<void> {
  const missing = await missingPackages(names);
  if (missing.length === 0) return;
  const list = missing.join(' ');
  if (!existsSync('/etc/debian_version') || !existsSync('/usr/bin/apt-get')) {
    throw new Error(
      `These programs are needed and this is not a Debian system, so install them yourself: ${list}`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new Error(`Debian packages are missing; run this as root, or first: sudo apt-get install ${list}`);
  }
  await step(`Installing Debian packages: ${list}`, async () => {
    // One unreachable third-party source must not stop us: the install below decides.
    await capture('apt-get', [...aptOptions, 'update'], { env: aptEnv });
    await run('apt-get', [...aptOptions, 'install', '--yes', '--no-install-recommends', ...missing], {
      env: aptEnv,
    });
  });
}

async function missingPackages(names: readonly string[]): Promise<string[]> {
  if (!existsSync('/usr/bin/dpkg-query')) return [...names];
  const format = `\${Package} \${db:Status-Status}\n`;
  const { stdout } = await capture('dpkg-query', ['--show', `--showformat=${format}`, ...names]);
  const lines = new Set(stdout.toString().split('\n'));
  return names.filter((name) => !lines.has(`${name} installed`));
}
