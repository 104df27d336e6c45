import { join } from 'node:path';
import { extractPackages, writeLauncher } from './extracted-packages.ts';

/**
 * Docker Compose from a Debian package, as a command that needs no engine for `config`.
 * @param dir existing directory that the command is put into
 * @throws Error when the package cannot be had
 */
export async function dockerCompose(dir: string): Promise<string> {
  const extracted = await extractPackages('compose', ['sid', 'trixie'], ['docker-compose']);
  return writeLauncher(
    extracted,
    '/usr/libexec/docker/cli-plugins/docker-compose',
    join(dir, 'docker-compose'),
  );
}
