/*
 * `npm run image`: builds the runtime image with our own `envbuilder build`, as a docker archive in image-out/ unless the
 * arguments, which are those of `envbuilder build`, name outputs, tags to --push to, or anything else.
 *   --platform=linux/arm64   for another machine than this one
 *   --all REFERENCE          pushes it for amd64 and arm64, under one index, and prints the digest of that
 *   --update-packages        only writes image/packages.lock anew, with the newest versions of all packages
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commitTime } from './lib/commit-time.ts';
import { withDebian } from './lib/debian-image.ts';
import { pushIndex } from './lib/image-index.ts';
import { buildRuntimeImage, withModules } from './lib/runtime-image.ts';

const root = join(import.meta.dirname, '..');
const out = join(root, 'image-out');
const args = process.argv.slice(2);

if (args.includes('--update-packages')) updatePackages();
else if (args.includes('--all')) await pushAll();
else await buildImage();

async function buildImage(): Promise<void> {
  const elsewhere = args.some((arg) => /^(-o$|--output|--push)/.test(arg));
  const tar = join(out, 'envbuilder.tar');
  if (!elsewhere) mkdirSync(out, { recursive: true });
  const given = args.some((arg) => /^(-t$|--tag)/.test(arg)) ? [] : ['--tag=envbuilder:latest'];
  const digest = await build(elsewhere ? args : [...args, ...given, `--output=type=docker,dest=${tar}`]);
  process.stdout.write(`${digest}\n`);
  if (!elsewhere) process.stderr.write(`The image is in ${tar}; load it with: docker load --input ${tar}\n`);
}

async function pushAll(): Promise<void> {
  const at = args.indexOf('--all');
  const reference = args[at + 1];
  if (reference === undefined) throw new Error('--all needs the name to push to');
  const rest = args.toSpliced(at, 2);
  const parts = [];
  for (const architecture of ['amd64', 'arm64']) {
    const tag = `${reference}-${architecture}`;
    const digest = await build([...rest, `--platform=linux/${architecture}`, `--tag=${tag}`, '--push']);
    parts.push({ tag, digest, architecture });
  }
  process.stdout.write(`${await pushIndex(reference, parts)}\n`);
}

/** @returns the digest of the image */
async function build(given: readonly string[]): Promise<string> {
  const platform = given.find((arg) => arg.startsWith('--platform='))?.split('=')[1];
  return withModules(platform, (modules) => {
    const all = [`--build-arg=SOURCE_DATE_EPOCH=${commitTime(root)}`, ...modules, ...given];
    if (args.some((arg) => arg.startsWith('--build-arg=DEBIAN='))) return buildRuntimeImage(all);
    return withDebian('debian:trixie-slim', (debian) =>
      buildRuntimeImage([`--build-arg=DEBIAN=${debian}`, ...all]),
    );
  });
}

function updatePackages(): void {
  const lock = join(root, 'image/packages.lock');
  const dir = mkdtempSync(join(tmpdir(), 'envbuilder-packages-'));
  try {
    const parts = ['amd64', 'arm64'].map((arch) => {
      const env = { ...process.env, ARCH: arch, NEWEST: '1' };
      execFileSync('sh', [join(root, 'image/packages.sh'), lock, join(dir, arch)], { env, stdio: 'inherit' });
      return readFileSync(join(dir, arch, 'packages.lock'), 'utf8');
    });
    writeFileSync(lock, parts.join(''));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
