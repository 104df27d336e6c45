/*
 * Puts together all of the image that is not our own code, below OUT/.envbuilder: Node, git, the OpenSSH client and a
 * shell for git's scripts, with their libraries and certificates.
 * Usage: tools.ts PACKAGES OUT ARCH MODULES, where PACKAGES is what packages.sh made for ARCH (amd64, arm64), and MODULES
 * holds the Node of another ARCH than that of this machine.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { isElf, neededLibraries, relocateProgram, stripElf } from './elf.ts';
import { nodeArch, packageFolder } from './modules.ts';
import { changeLoaderDirectories, changePaths, OWN, pathChanges } from './relocate.ts';
import { settle } from './settle.ts';

const [packages = '', out = '', arch = '', modules = ''] = process.argv.slice(2);
const node = packageFolder(`node-linux-${nodeArch(arch)}`, modules);
const arm = arch === 'arm64';
const triplet = arm ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
const loader = arm ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2';
const libraries = join(packages, 'root/usr/lib', triplet);
const target = join(out, OWN);
const changes = pathChanges(triplet, loader);

/** In bin: where it comes from in Debian's packages, by its name here. */
const PROGRAMS: Readonly<Record<string, string>> = {
  git: 'usr/bin/git',
  'git-remote-http': 'usr/lib/git-core/git-remote-http',
  'git-submodule': 'usr/lib/git-core/git-submodule',
  'git-sh-setup': 'usr/lib/git-core/git-sh-setup',
  'git-sh-i18n': 'usr/lib/git-core/git-sh-i18n',
  'git-sh-i18n--envsubst': 'usr/lib/git-core/git-sh-i18n--envsubst',
  ssh: 'usr/bin/ssh',
  'ssh-add': 'usr/bin/ssh-add',
  'ssh-agent': 'usr/bin/ssh-agent',
  'ssh-keygen': 'usr/bin/ssh-keygen',
  sh: 'usr/bin/dash',
  env: 'usr/bin/env',
  sed: 'usr/bin/sed',
  basename: 'usr/bin/basename',
  uname: 'usr/bin/uname',
  bzip2: 'usr/bin/bzip2',
  xz: 'usr/bin/xz',
};
/** Loaded by name at run time, so that no program says that it needs them. */
const LOADED = ['libnss_systemd.so.2', 'libgcc_s.so.1', 'libm.so.6'];
/** Character sets of files that git is told to convert. */
const CHARSETS = ['UTF-16.so', 'UTF-32.so', 'ISO8859-1.so', 'ISO8859-15.so', 'CP1252.so'];
/** `systemd` knows root and nobody where no base image has brought /etc/passwd yet. */
const NAME_SERVICES = 'passwd: files systemd\ngroup: files systemd\nhosts: files dns\n';

for (const dir of ['bin', 'lib/gconv', 'certs', 'licenses', 'templates/info'])
  mkdirSync(join(target, dir), { recursive: true });
installProgram('node', stripElf(readFileSync(join(node, 'bin/node'))));
for (const [name, from] of Object.entries(PROGRAMS))
  installProgram(name, readFileSync(join(packages, 'root', from)));
symlinkSync('git-remote-http', join(target, 'bin/git-remote-https'));
// What git starts at the other end of file:// and of a path.
symlinkSync('git', join(target, 'bin/git-upload-pack'));
installLibraries();
installCharsets();
writeFileSync(join(target, 'templates/info/exclude'), '');
writeFileSync(join(target, 'nssw'), NAME_SERVICES);
writeFileSync(join(target, 'certs/ca.crt'), `${rootCertificates.join('\n')}\n`);
installLicenses();
settle(out);

function installProgram(name: string, bytes: Buffer): void {
  const path = join(target, 'bin', name);
  if (!isElf(bytes)) {
    const text = bytes.toString('utf8').replace(/^#!\/bin\/sh\b/, `#!${OWN}/bin/sh`);
    writeFileSync(path, text, { mode: 0o755 });
    return;
  }
  if (changes[name]) changePaths(bytes, changes[name]);
  relocateProgram(bytes, `${OWN}/lib/${loader}`, `${OWN}/lib`);
  writeFileSync(path, bytes, { mode: 0o755 });
}

function installLibraries(): void {
  const wanted = new Set<string>([loader, ...LOADED]);
  for (const name of ['node', ...Object.keys(PROGRAMS)]) {
    const bytes = readFileSync(join(target, 'bin', name));
    if (isElf(bytes)) for (const library of neededLibraries(bytes)) wanted.add(library);
  }
  // A set takes what is added while it is walked through.
  for (const name of wanted) {
    const from = join(libraries, name);
    if (!existsSync(from)) throw new Error(`no package in image/packages.lock has ${name}`);
    const bytes = readFileSync(realpathSync(from));
    if (name === loader) changeLoaderDirectories(bytes, triplet);
    if (changes[name]) changePaths(bytes, changes[name]);
    writeFileSync(join(target, 'lib', name), bytes, { mode: 0o755 });
    for (const more of neededLibraries(bytes)) wanted.add(more);
  }
}

function installCharsets(): void {
  const table = readFileSync(join(libraries, 'gconv/gconv-modules'), 'utf8').split('\n');
  const extra = join(libraries, 'gconv/gconv-modules.d/gconv-modules-extra.conf');
  if (existsSync(extra)) table.push(...readFileSync(extra, 'utf8').split('\n'));
  const names = CHARSETS.map((file) => basename(file, '.so'));
  const lines = table.filter((line) =>
    names.some((name) => line.split(/\s+/).includes(name) || aliasOf(line, name)),
  );
  writeFileSync(join(target, 'lib/gconv/gconv-modules'), `${lines.join('\n')}\n`);
  for (const file of CHARSETS) cpSync(join(libraries, 'gconv', file), join(target, 'lib/gconv', file));
}

function aliasOf(line: string, name: string): boolean {
  const [kind, , to] = line.split(/\s+/);
  return kind === 'alias' && to === `${name.replace(/^ISO/, 'ISO-')}//`;
}

function installLicenses(): void {
  cpSync(join(node, 'LICENSE'), join(target, 'licenses/node'));
  const docs = join(packages, 'root/usr/share/doc');
  for (const name of readdirSync(docs)) {
    const file = join(docs, name, 'copyright');
    if (existsSync(file)) cpSync(realpathSync(file), join(target, 'licenses', name));
  }
  for (const name of readdirSync(join(target, 'licenses'))) chmodSync(join(target, 'licenses', name), 0o644);
}
