import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { neededLibraries, stripElf } from '../../image/elf.ts';
import { NODE_FLAGS } from '../../image/node-flags.ts';
import { settle } from '../../image/settle.ts';
import { completion, type Shell } from '../../src/cli/completion.ts';
import { manPages } from '../../src/cli/man.ts';
import { run } from './shell.ts';

/** Finds what it starts beside itself, so that the directory may lie anywhere. */
const LAUNCHER = `#!/bin/sh
self=$(readlink -f -- "$0")
lib=\${self%/bin/*}/lib/envbuilder
exec "$lib/node" ${NODE_FLAGS.join(' ')} "$lib/app/main.cjs" "$@"
`;

/** Debian's packages of the libraries that Node loads. */
const PACKAGES: Readonly<Record<string, string>> = {
  'libatomic.so.1': 'libatomic1',
  'libgcc_s.so.1': 'libgcc-s1',
  'libstdc++.so.6': 'libstdc++6',
};
/** What official builds of Node are linked against (BUILDING.md of Node). */
const C_LIBRARY = 'libc6 (>= 2.28)';

/** Lays out bin, lib and share below `tree`. @param node the folder of a node-linux-* package */
export async function installTree(files: {
  readonly root: string;
  readonly tree: string;
  readonly node: string;
  readonly app: string;
  readonly epoch: number;
}): Promise<void> {
  const { root, tree, node, app, epoch } = files;
  const [lib, doc] = [join(tree, 'lib/envbuilder'), join(tree, 'share/doc/envbuilder')];
  for (const dir of [join(tree, 'bin'), lib, doc]) mkdirSync(dir, { recursive: true });
  cpSync(app, join(lib, 'app'), { recursive: true });
  writeFileSync(join(lib, 'node'), stripElf(readFileSync(join(node, 'bin/node'))), { mode: 0o755 });
  writeFileSync(join(tree, 'bin/envbuilder'), LAUNCHER, { mode: 0o755 });
  for (const [file, text] of sharedFiles(
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
  )) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), text);
  }
  for (const file of ['README.md', 'CHANGELOG.md']) cpSync(join(root, file), join(doc, file));
  cpSync(join(lib, 'app/LICENSES'), join(doc, 'copyright'));
  cpSync(join(node, 'LICENSE'), join(doc, 'copyright.node'));
  settle(tree);
  await run('find', [tree, '-exec', 'touch', '--no-dereference', `--date=@${epoch}`, '{}', '+']);
}

/** Where shells look for completions. */
const COMPLETIONS: Readonly<Record<Shell, string>> = {
  bash: 'share/bash-completion/completions/envbuilder',
  zsh: 'share/zsh/site-functions/_envbuilder',
  fish: 'share/fish/vendor_completions.d/envbuilder.fish',
};

/** Completions and pages of the manual, by their paths below the tree. */
function sharedFiles(version: string): ReadonlyMap<string, string> {
  const shells = Object.entries(COMPLETIONS).map(([shell, path]) => [path, completion(shell)] as const);
  const pages = [...manPages(version)].map(([name, text]) => [`share/man/man1/${name}`, text] as const);
  return new Map([...shells, ...pages]);
}

/** The control file of the Debian package of such a tree (Debian Policy, chapter 5). */
export function debControl(of: {
  readonly name: string;
  readonly version: string;
  readonly arch: 'x64' | 'arm64';
  readonly tree: string;
}): string {
  const { name, version, arch, tree } = of;
  const libraries = neededLibraries(readFileSync(join(tree, 'lib/envbuilder/node')));
  const needed = libraries.flatMap((library) => PACKAGES[library] ?? []);
  return [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${arch === 'x64' ? 'amd64' : 'arm64'}`,
    'Maintainer: The envbuilder maintainers',
    `Depends: ${[C_LIBRARY, ...needed.sort()].join(', ')}`,
    'Recommends: ca-certificates, git, openssh-client, uidmap',
    'Section: devel',
    'Priority: optional',
    'Description: builds Dockerfiles and dev containers without a daemon',
    ' Turns a repository with a Dockerfile or a devcontainer.json into a running',
    ' development environment, and finds every layer again in a cache.',
    '',
  ].join('\n');
}
