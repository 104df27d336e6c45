/* What a release consists of: made twice, checked with the tools that read it, and run without npm or Node. */
import assert from 'node:assert/strict';
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { capture, run } from '../scripts/lib/shell.ts';
import { takesCode } from './support/compiled-code.ts';
import { projectRoot } from './support/envbuilder.ts';

const dir = temporaryDir('dist');
const out = join(dir, 'out');
const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
const { version, dependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
};

const dist = (to: string): Promise<string> =>
  run('npm', ['run', '--silent', 'dist', '--', `--arch=${arch}`, `--out=${to}`], { cwd: projectRoot });

before(() => dist(out));
after(() => rm(dir, { recursive: true, force: true }));

test('checksums are those of all files, and the same commit gives the same files', async () => {
  await run('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: out });
  const sums = readFileSync(join(out, 'SHA256SUMS'), 'utf8');
  const named = sums
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\S+ +/, ''));
  assert.deepEqual([...named, 'SHA256SUMS'].sort(), readdirSync(out).sort());
  assert.equal(named.length, 5);
  await dist(join(dir, 'again'));
  assert.equal(readFileSync(join(dir, 'again/SHA256SUMS'), 'utf8'), sums);
});

test('the tarball runs from any place, where there is neither npm nor Node', async () => {
  const place = join(dir, 'any place');
  mkdirSync(place);
  await run('tar', [
    'xf',
    join(out, `envbuilder-${version}-linux-${arch}.tar.gz`),
    '-C',
    place,
    '--strip-components=1',
  ]);
  const context = join(dir, 'context');
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /copied\n');
  const env = { PATH: '/usr/bin:/bin', HOME: dir };
  const program = join(place, 'bin/envbuilder');
  assert.equal(await run(program, ['--version'], { env }), `envbuilder ${version}\n`);
  const cache = ['--layer-cache-dir', join(dir, 'cache')];
  const built = await run(program, ['build', context, ...cache, '--push'], { env });
  assert.equal(
    await run(program, ['probe', context, ...cache], { env }),
    `ENVBUILDER_CACHED_IMAGE=local/cache@${built}`,
  );
  // The compiled code beside the program is what its own Node takes, and nothing that it cannot do without.
  const lib = join(place, 'lib/envbuilder');
  assert.equal(await run(join(lib, 'node'), ['--eval', takesCode(join(lib, 'app'))]), 'taken');
  const [code = ''] = globSync(join(lib, 'app/*.code'));
  for (const spoil of [() => writeFileSync(code, 'no code'), () => rmSync(code)]) {
    spoil();
    assert.equal(await run(program, ['--version'], { env }), `envbuilder ${version}\n`);
  }
});

test("the Debian package is one, and holds the tarball's files", async () => {
  const deb = join(out, `envbuilder_${version}_${arch === 'x64' ? 'amd64' : 'arm64'}.deb`);
  const control = await run('dpkg-deb', ['--field', deb]);
  assert.match(control, new RegExp(`^Package: envbuilder\nVersion: ${version.replaceAll('.', '\\.')}$`, 'm'));
  assert.match(control, /^Depends: libc6 \(>= 2\.28\), libatomic1, libgcc-s1, libstdc\+\+6$/m);
  const root = join(dir, 'root');
  await run('dpkg-deb', ['--extract', deb, root]);
  assert.equal(await run(join(root, 'usr/bin/envbuilder'), ['--version']), `envbuilder ${version}\n`);
  const listed = await run('dpkg-deb', ['--contents', deb]);
  assert.ok(
    listed.split('\n').every((line) => line === '' || line.includes(' root/root ')),
    listed,
  );
});

test('the SBOM names each package that is shipped, in its version, and provenance each file', () => {
  const sbom = JSON.parse(readFileSync(join(out, `envbuilder-${version}.cdx.json`), 'utf8'));
  assert.equal(sbom.bomFormat, 'CycloneDX');
  const components = new Map<string, string>(
    sbom.components.map((each: { name: string; version: string }) => [each.name, each.version]),
  );
  for (const [name, wanted] of Object.entries(dependencies)) assert.equal(components.get(name), wanted, name);
  assert.equal(components.has('typescript'), false);
  const statement = JSON.parse(readFileSync(join(out, `envbuilder-${version}.provenance.json`), 'utf8'));
  const subjects: readonly { name: string; digest: { sha256: string } }[] = statement.subject;
  const sums = readFileSync(join(out, 'SHA256SUMS'), 'utf8');
  assert.equal(subjects.length, 4);
  for (const { name, digest } of subjects) assert.ok(sums.includes(`${digest.sha256}  ${name}\n`), name);
});

test('release notes are the part of the changelog, and none is an error', async () => {
  const notes = ['run', '--silent', 'release-notes', '--'];
  assert.match(await run('npm', [...notes, 'Unreleased'], { cwd: projectRoot }), /^### /);
  const { code, stderr } = await capture('npm', [...notes, '99.0.0'], { cwd: projectRoot });
  assert.notEqual(code, 0);
  assert.match(stderr, /CHANGELOG\.md says nothing of 99\.0\.0/);
});
