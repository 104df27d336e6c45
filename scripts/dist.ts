/*
 * `npm run dist`: everything that a release consists of but the runtime image, in dist-out/: the npm package; for x64 and
 * arm64 a tarball and a .deb that need no npm; an SBOM, provenance, and checksums of all of it. The program in tarball and
 * .deb is bundled by the steps of the runtime image. Same commit, same bytes: SOURCE_DATE_EPOCH, else the time of the
 * commit, is the time of all files.
 *   --arch x64       only one architecture
 *   --out DIR        another place
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeBundle } from './lib/bundled-program.ts';
import { commitTime } from './lib/commit-time.ts';
import { fileDigest } from './lib/file-digest.ts';
import { debControl, installTree } from './lib/install-tree.ts';
import { fetchPackage } from './lib/npm-package.ts';
import { provenance } from './lib/provenance.ts';
import { readSbom } from './lib/sbom.ts';
import { run, step } from './lib/shell.ts';

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    arch: { type: 'string', multiple: true },
    out: { type: 'string', default: join(root, 'dist-out') },
  },
});
const { out } = values;
const arches = (values.arch ?? ['x64', 'arm64']) as readonly ('x64' | 'arm64')[];
const epoch = commitTime(root);
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await step('Packing for npm', () =>
  run('npm', ['pack', '--silent', '--pack-destination', out], { cwd: root }),
);
for (const arch of arches) await step(`Making tarball and .deb for ${arch}`, () => archives(arch));
writeFileSync(join(out, `${name}-${version}.cdx.json`), await readSbom(root, epoch));
const subjects = readdirSync(out).sort();
writeFileSync(
  join(out, `${name}-${version}.provenance.json`),
  provenance({
    root,
    epoch,
    subjects: subjects.map((file) => ({ name: file, sha256: fileDigest(join(out, file)) })),
  }),
);
const sums = readdirSync(out).sort();
writeFileSync(
  join(out, 'SHA256SUMS'),
  sums.map((file) => `${fileDigest(join(out, file))}  ${file}\n`).join(''),
);
process.stdout.write(`${[...sums, 'SHA256SUMS'].map((file) => join(out, file)).join('\n')}\n`);

async function archives(arch: 'x64' | 'arm64'): Promise<void> {
  const scratch = join(out, '.scratch');
  const tree = join(scratch, `${name}-${version}`);
  try {
    const modules = join(scratch, 'modules');
    const node = await fetchPackage(root, `node-linux-${arch}`, modules);
    await fetchPackage(root, `@koromix/koffi-linux-${arch}`, modules);
    const architecture = arch === 'x64' ? 'amd64' : 'arm64';
    const app = await makeBundle(root, join(scratch, 'bundle'), architecture, modules);
    await installTree({ root, tree, node, app, epoch });
    const tar = [
      `--mtime=@${epoch}`,
      '--sort=name',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--format=gnu',
    ];
    const tarball = join(out, `${name}-${version}-linux-${arch}.tar.gz`);
    await run('tar', [
      'c',
      ...tar,
      '--use-compress-program=gzip -n',
      '-f',
      tarball,
      '-C',
      scratch,
      basename(tree),
    ]);
    const deb = join(scratch, 'deb');
    mkdirSync(join(deb, 'DEBIAN'), { recursive: true });
    cpSync(tree, join(deb, 'usr'), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    writeFileSync(join(deb, 'DEBIAN/control'), debControl({ name, version, arch, tree }));
    const args = ['--root-owner-group', '-Zgzip', '--build', deb];
    await run('dpkg-deb', [...args, join(out, `${name}_${version}_${architecture}.deb`)], {
      env: { SOURCE_DATE_EPOCH: String(epoch) },
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
