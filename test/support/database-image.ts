import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, temporaryDir } from '../../scripts/lib/cache-dir.ts';
import { step } from '../../scripts/lib/shell.ts';
import { PATIENCE_MS } from '../../src/core/testing.ts';
import { envbuilder } from './envbuilder.ts';

/** PostgreSQL whose users need no password on this machine, without its compiler of queries, and Redis, as Debian packages them. */
const DOCKERFILE = `ARG BASE
FROM $BASE
RUN useradd --system --uid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres \\
 && apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-15 redis-server \\
 && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/ldconfig /usr/share/doc /usr/share/locale /usr/lib/*/libLLVM*
RUN printf 'local all all trust\\nhost all all 127.0.0.1/32 trust\\n' >/etc/postgresql/15/main/pg_hba.conf
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGUSER=postgres
`;

/** What starts the server of the image, as the user 999; a port is its further argument. */
export const POSTGRES: readonly string[] = [
  ...[
    'postgres',
    '-c',
    'config_file=/etc/postgresql/15/main/postgresql.conf',
    '-c',
    'ssl=off',
    '-c',
    'jit=off',
    '-p',
  ],
];

/** Its data, which belong to the user 999. */
export const POSTGRES_DATA = '/var/lib/postgresql/15/main';

/**
 * Pushes an image with a database and a cache to the registry of the tests. What apt-get installs is built once, by us, and
 * its layers are kept.
 * @param host a registry that has debian:bookworm
 * @returns its reference
 */
export async function databaseImage(host: string): Promise<string> {
  const context = temporaryDir('database');
  const reference = `${host}/database:1`;
  try {
    writeFileSync(join(context, 'Dockerfile'), DOCKERFILE);
    const build = async (layers: string, ...more: string[]): Promise<void> => {
      const { code, output } = await envbuilder(
        [
          ...['build', context, '--build-arg', `BASE=${host}/debian:bookworm`, '--layer-cache-dir', layers],
          // The engine of the tests may know nothing else.
          ...['--compression=gzip', '--cache-ttl-days=36500', ...more],
        ],
        { timeoutMs: PATIENCE_MS * 4 },
      );
      assert.equal(code, 0, output);
    };
    const layers = await cached('database-layers', { DOCKERFILE, version: 1 }, async (path) => {
      mkdirSync(path);
      await step('Installing a database from Debian packages', () => build(path));
    });
    await build(layers, '--tag', reference, '--push');
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
  return reference;
}
