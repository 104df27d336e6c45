import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { capture } from '../../scripts/lib/shell.ts';
import { projectRoot } from './envbuilder.ts';

/** A registry of npm packages that listens on the loopback interface. */
export interface NpmRegistry {
  readonly url: string;
  readonly stop: () => void;
}

interface Packed {
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly tarball: Buffer;
}

/**
 * Serves one package from its tarball, and every package that is installed in this checkout, packed anew from its
 * folder. Others are not there, as optional ones for other machines are not.
 */
export async function startNpmRegistry(own: {
  readonly name: string;
  readonly tarball: Buffer;
}): Promise<NpmRegistry> {
  const packed = new Map<string, Promise<Packed | undefined>>();
  const find = (name: string): Promise<Packed | undefined> => {
    const found = packed.get(name) ?? (name === own.name ? packOwn(own.tarball) : packInstalled(name));
    packed.set(name, found);
    return found;
  };
  const server = createServer(async (request, response) => {
    const [, name = '', file] =
      /^\/((?:@[^/]+\/)?[^/]+)(?:\/-\/(.+))?$/.exec(decodeURIComponent(request.url!)) ?? [];
    const found = await find(name).catch(() => undefined);
    if (found === undefined) response.writeHead(404).end('{}');
    else if (file !== undefined) response.end(found.tarball);
    else
      response.end(JSON.stringify(packument(found, `http://${request.headers.host}/${name}/-/package.tgz`)));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function packument({ manifest, tarball }: Packed, url: string): unknown {
  const version = String(manifest.version);
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  return {
    name: manifest.name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist: { tarball: url, integrity } } },
  };
}

async function packOwn(tarball: Buffer): Promise<Packed> {
  const { stdout } = await capture('tar', ['xzO', 'package/package.json'], { input: tarball });
  return { manifest: JSON.parse(stdout.toString()), tarball };
}

async function packInstalled(name: string): Promise<Packed | undefined> {
  const folder = join(projectRoot, 'node_modules', name);
  if (!existsSync(join(folder, 'package.json'))) return undefined;
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { stdout } = await capture('tar', [
    'c',
    '--transform=s,^\\.,package,',
    '--exclude=./node_modules',
    '-C',
    folder,
    '.',
  ]);
  return { manifest, tarball: gzipSync(stdout, { level: 1 }) };
}
