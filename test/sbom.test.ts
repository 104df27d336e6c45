/* Which packages lie in an image, as it lies beside the image, and as programs of others read it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cached } from '../scripts/lib/cache-dir.ts';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { goProgram, noGo } from '../scripts/lib/go-program.ts';
import { capture, run, step } from '../scripts/lib/shell.ts';
import { EXIT_CODES } from '../src/core/error.ts';
import { RPM_TABLE, rpmHeader, sqliteFile } from '../src/sbom/testing.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { startOwnRegistry } from './support/own-registry.ts';
import {
  IN_TOTO,
  layoutAt,
  type Place,
  referrersOf,
  repositoryAt,
  statementOf,
} from './support/referrers.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry']);

/** Reads referrers of registries and of OCI layouts. */
const REGCTL = 'github.com/regclient/regclient/cmd/regctl@v0.11.7';
/** Validates documents by the specification; it is SPDX's own. */
const VALIDATOR = 'spdx-tools==0.8.5';
const SPDX = 'https://spdx.dev/Document';

interface Document {
  readonly creationInfo: { readonly created: string };
  readonly packages: readonly {
    readonly name: string;
    readonly versionInfo: string;
    readonly licenseDeclared: string;
    readonly externalRefs: readonly { readonly referenceLocator: string }[];
  }[];
}

async function sbomOf(place: Place, digest: string): Promise<{ text: string; document: Document }> {
  const { manifests } = await referrersOf(place, digest);
  const found = manifests.filter(({ annotations }) => annotations?.['in-toto.io/predicate-type'] === SPDX);
  assert.equal(found.length, 1);
  const text = await statementOf(place, found[0]!.digest, digest);
  const { predicateType, predicate } = JSON.parse(text);
  assert.equal(predicateType, SPDX);
  return { text, document: predicate as Document };
}

const urls = ({ packages }: Document): string[] =>
  packages.map((one) => one.externalRefs[0]!.referenceLocator);

async function assertValid(box: Sandbox, document: Document): Promise<void> {
  const tools = await cached('spdx-tools', VALIDATOR, async (path) => {
    if ((await capture('python3', ['-m', 'pip', '--version'])).code !== 0)
      await ensurePackages(['python3-pip']);
    const args = ['install', '--quiet', '--root-user-action=ignore', '--target', path, VALIDATOR];
    await step(`Installing ${VALIDATOR}`, () => run('python3', ['-m', 'pip', ...args]));
  });
  const file = box.path('document.spdx.json');
  writeFileSync(file, JSON.stringify(document));
  const args = ['-m', 'spdx_tools.spdx.clitools.pyspdxtools', '--infile', file];
  const { code, stdout, stderr } = await capture('python3', args, { env: { PYTHONPATH: tools } });
  assert.equal(code, 0, `${stdout}${stderr}`);
}

/** Packages of every kind that Debian's own image has not. */
function writePackages(box: Sandbox): void {
  box.write({
    'files/usr/lib/python3/dist-packages/some.egg-info': 'Name: Some_Egg\nVersion: 0.1\nLicense: BSD\n',
    'files/usr/lib/python3/dist-packages/wheel-2.dist-info/METADATA':
      'Name: wheel\nVersion: 2\nLicense-Expression: MIT\nAuthor-email: "A. B. (c)" <a@b.example>\n\ntext\n',
    'files/app/node_modules/@scope/tool/package.json':
      '{"name":"@scope/tool","version":"3.0.0","license":"(MIT OR Apache-2.0)","author":"C <c@d.example> (https://e)"}',
    'files/app/node_modules/odd/package.json':
      '{"name":"odd\\u001b[31m","version":"1\\n2","license":"see \\u0000"}',
    'files/usr/lib/apk/db/installed': 'P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nm:D\n\n',
  });
  box.write({ 'files/var/lib/rpm/rpmdb.sqlite': '' });
  const header = rpmHeader({ 1000: 'bash', 1001: '5.2', 1002: '1', 1014: 'GPLv3+', 1022: 'x86_64' });
  writeFileSync(join(box.context, 'files/var/lib/rpm/rpmdb.sqlite'), sqliteFile(RPM_TABLE, [header]));
}

test('the packages of an image are told beside it, as dpkg tells them and as SPDX wants it', async (t) => {
  const missing = missingService(environment.services, ['registry']);
  if (missing) return t.skip(missing);
  const { host } = environment.services.registry!;
  const box = createSandbox({
    Dockerfile: [
      `FROM ${host}/debian:bookworm`,
      'COPY files /',
      `RUN dpkg-query -W -f 'PKG \${Package} \${Version} \${Architecture}\\n'`,
    ].join('\n'),
  });
  t.after(box.close);
  writePackages(box);
  const own = await startOwnRegistry(box.dir, box.path('storage'));
  t.after(own.stop);
  const repository = `${own.host}/made`;
  const common = [`--cache-repo=${repository}`, '--push', '--exit-on-push-failure'];
  const layout = box.path('layout');
  const first = await box.build([...common, '--sbom', `--output=type=oci,dest=${layout}`]);
  assert.equal(first.code, 0, first.output);
  const digest = first.stdout.trim();
  const { text, document } = await sbomOf(repositoryAt(repository), digest);
  await assertValid(box, document);

  const expected = [...first.output.matchAll(/\bPKG (\w\S*) (\S+) (\S+)$/gm)].map(
    ([, name, version, arch]) => {
      const encoded = (one: string): string => encodeURIComponent(one).replaceAll('%3A', ':');
      return `pkg:deb/debian/${encoded(name!)}@${encoded(version!)}?arch=${arch}&distro=debian-12`;
    },
  );
  assert.ok(expected.length > 50, first.output);
  const debs = urls(document).filter((url) => url.startsWith('pkg:deb/'));
  const named = debs.map((url) => url.replace(/&upstream=.*/, ''));
  assert.deepEqual(
    {
      missing: expected.filter((url) => !named.includes(url)),
      more: named.filter((url) => !expected.includes(url)),
    },
    { missing: [], more: [] },
  );
  assert.deepEqual(
    urls(document).filter((url) => !/^pkg:(?:deb|oci)\//.test(url)),
    [
      'pkg:apk/debian/musl@1.2.5-r0?arch=x86_64&distro=debian-12&upstream=musl',
      'pkg:npm/%40scope/tool@3.0.0',
      'pkg:npm/odd%20%5B31m@1%202',
      'pkg:pypi/some-egg@0.1',
      'pkg:pypi/wheel@2',
      'pkg:rpm/debian/bash@5.2-1?arch=x86_64&distro=debian-12',
    ],
  );
  assert.equal(
    urls(document)[0],
    `pkg:oci/made@${digest}?arch=${process.arch === 'arm64' ? 'arm64' : 'amd64'}&repository_url=${encodeURIComponent(repository)}`,
  );

  // A layout has the same one, and so has a build that found every step, on another machine.
  assert.equal((await sbomOf(layoutAt(layout), digest)).text, text);
  const found = await box.build([...common, '--sbom'], { env: { ENVBUILDER_STATE_DIR: box.path('other') } });
  assert.equal(found.code, 0, found.output);
  assert.match(found.output, /0 built/);
  assert.equal(found.stdout.trim(), digest);
  assert.equal((await sbomOf(repositoryAt(repository), digest)).text, text);

  if (noGo()) return;
  const regctl = await goProgram(REGCTL);
  const env = { REGCTL_CONFIG: box.path('regctl.json') };
  await run(regctl, ['registry', 'set', own.host, '--tls', 'disabled'], { env });
  for (const subject of [`${repository}@${digest}`, `ocidir://${layout}@${digest}`]) {
    const filter = [
      '--filter-artifact-type',
      IN_TOTO,
      '--filter-annotation',
      `in-toto.io/predicate-type=${SPDX}`,
    ];
    const got = await capture(regctl, ['artifact', 'get', '--subject', subject, ...filter], { env });
    assert.equal(got.code, 0, got.stderr);
    assert.equal(got.stdout.toString(), text);
  }
});

test('each image of an index has a list of its own, and what is not read is said', async (t) => {
  const box = createSandbox({ Dockerfile: 'FROM scratch\nCOPY files /\n' });
  t.after(box.close);
  box.write({
    'files/var/lib/rpm/Packages': 'of Berkeley DB',
    'files/node_modules/a/package.json': '{"name":"a","version":"1.0.0","license":"MIT"}',
    'files/node_modules/b/package.json': '{"name":',
  });
  const layout = box.path('layout');
  const args = ['--platform=linux/amd64,linux/arm64', '--sbom', '--provenance', 'min', '--reproducible'];
  const built = await box.build([...args, `--output=type=oci,dest=${layout}`]);
  assert.equal(built.code, 0, built.output);
  assert.match(
    built.output,
    /node_modules\/b\/package\.json is not JSON; var\/lib\/rpm\/Packages is a database/,
  );
  const place = layoutAt(layout);
  const index = JSON.parse((await place.manifest('latest'))!) as { manifests: { digest: string }[] };
  for (const { digest } of index.manifests) {
    const { document } = await sbomOf(place, digest);
    await assertValid(box, document);
    assert.deepEqual(urls(document).slice(1), ['pkg:npm/a@1.0.0']);
    assert.match((document as { comment?: string }).comment ?? '', /var\/lib\/rpm\/Packages/);
    assert.equal(document.creationInfo.created, '1970-01-01T00:00:00Z');
    assert.equal((await referrersOf(place, digest)).manifests.length, 2);
  }
  // The index itself was made in some way, and has no packages of its own.
  assert.equal((await referrersOf(place, built.stdout.trim())).manifests.length, 1);
  for (const option of ['--sbom', '--provenance=min']) {
    const { code, output } = await box.build([option]);
    assert.equal(code, EXIT_CODES.USAGE.exit, output);
    assert.match(output, /--output type=oci/);
  }
});
