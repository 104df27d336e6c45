/*
 * `npm run image`: builds the runtime image with our own `envbuilder build`, as a docker archive in image-out/ unless the
 * arguments, which are those of `envbuilder build`, name outputs, tags to --push to, or anything else. With
 * --update-packages it only writes image/packages.lock anew, with the newest versions of all packages.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withDebian } from './lib/debian-image.ts';
import { buildRuntimeImage } from './lib/runtime-image.ts';

const root = join(import.meta.dirname, '..');
const out = join(root, 'image-out');
const args = process.argv.slice(2);

if (args.includes('--update-packages')) updatePackages();
else await buildImage();

async function buildImage(): Promise<void> {
  const elsewhere = args.some((arg) => /^(-o$|--output|--push)/.test(arg));
  const tar = join(out, 'envbuilder.tar');
  if (!elsewhere) mkdirSync(out, { recursive: true });
  const given = args.some((arg) => /^(-t$|--tag)/.test(arg)) ? [] : ['--tag=envbuilder:latest'];
  const base = args.some((arg) => arg.startsWith('--build-arg=DEBIAN='));
  const build = (debian?: string): Promise<string> =>
    buildRuntimeImage([
      `--build-arg=SOURCE_DATE_EPOCH=${imageTime()}`,
      ...(debian ? [`--build-arg=DEBIAN=${debian}`] : []),
      ...(elsewhere ? args : [...args, ...given, `--output=type=docker,dest=${tar}`]),
    ]);
  const digest = await (base ? build() : withDebian('debian:trixie-slim', build));
  process.stdout.write(`${digest}\n`);
  if (!elsewhere) process.stderr.write(`The image is in ${tar}; load it with: docker load --input ${tar}\n`);
}

/** The time that the image carries: what the environment says, as usual for reproducible builds, else the last commit's. */
function imageTime(): string {
  const { SOURCE_DATE_EPOCH } = process.env;
  if (SOURCE_DATE_EPOCH) return SOURCE_DATE_EPOCH;
  try {
    return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return '0';
  }
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
