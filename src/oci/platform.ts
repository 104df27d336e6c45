import { AppError } from '../core/error.ts';
import { isIndexType, isManifestType } from './media-types.ts';
import type { Descriptor, Index, Platform } from './types.ts';

const NODE_ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};
const SYSTEMS = ['linux', 'windows', 'darwin', 'macos', 'freebsd', 'netbsd', 'openbsd', 'solaris', 'wasip1'];
/** Go's names (GOARCH), as containerd knows them. */
const ARCHITECTURES =
  '386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm'.split(
    ' ',
  );
const PLATFORM_HINT = 'write it as os/architecture[/variant], for example linux/amd64 or linux/arm/v7';
const ARM_NAMES: Readonly<Record<string, string>> = {
  armhf: 'v7',
  armel: 'v6',
  armv7l: 'v7',
  armv6l: 'v6',
  armv5l: 'v5',
};

/**
 * One spelling for every platform, as containerd has it: x86_64 → amd64, i386 → 386, aarch64 and arm64/v8 → arm64,
 * armhf and arm → arm/v7, armel → arm/v6, macos → darwin; lower case; amd64/v1 → amd64.
 */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const [architecture, variant] = normalizeArchitecture(
    platform.architecture.toLowerCase(),
    (platform.variant ?? '').toLowerCase(),
  );
  return { os: os === 'macos' ? 'darwin' : os, architecture, ...(variant === '' ? {} : { variant }) };
}

/**
 * Parses `os/architecture[/variant]`, or one of the two alone (the other one is then the machine's).
 * @throws AppError USAGE
 */
export function parsePlatform(text: string): Platform {
  const parts = text.trim().split('/');
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) {
    throw new AppError('USAGE', `"${text.slice(0, 100)}" is not a platform`, {
      hint: PLATFORM_HINT,
    });
  }
  const [first = '', second, variant] = parts;
  if (second === undefined) {
    const isSystem = SYSTEMS.includes(first.toLowerCase());
    if (isSystem) return normalizePlatform({ ...defaultPlatform(), os: first });
    const platform = normalizePlatform({ os: 'linux', architecture: first });
    if (ARCHITECTURES.includes(platform.architecture)) return platform;
    throw new AppError('USAGE', `"${first}" is no operating system and no architecture that is known`, {
      hint: PLATFORM_HINT,
    });
  }
  return normalizePlatform({
    os: first,
    architecture: second,
    ...(variant === undefined ? {} : { variant }),
  });
}

/** Platforms in one spelling each, every one of them once, in the order in which they first come. @throws AppError USAGE */
export function distinctPlatforms(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.map((text) => formatPlatform(parsePlatform(text))))];
}

/** The platform of images that run on this machine. */
export function defaultPlatform(): Platform {
  const arm =
    process.arch === 'arm' ? (process.config.variables as { arm_version?: string }).arm_version : undefined;
  return normalizePlatform({
    os: 'linux',
    architecture: NODE_ARCHITECTURES[process.arch] ?? process.arch,
    ...(arm === undefined ? {} : { variant: arm }),
  });
}

/** `os/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

/**
 * The images of an index that run on a platform, best first: the platform itself, then older variants of it, then the
 * 32-bit architecture that it also runs (amd64 → 386, arm64 → arm), as containerd orders them. Entries that are no
 * images (attestations: unknown/unknown, `vnd.docker.reference.type`) are never chosen.
 * @returns the best descriptor, or undefined
 */
export function selectPlatform(index: Index, platform: Platform): Descriptor | undefined {
  const images = imagesOf(index).filter((descriptor) => descriptor.platform !== undefined);
  for (const wanted of acceptable(normalizePlatform(platform))) {
    const text = formatPlatform(wanted);
    const found = images.find(
      (descriptor) => formatPlatform(normalizePlatform(descriptor.platform!)) === text,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The entries of an index that are images or indexes of images, attestations left out. */
export function imagesOf(index: Index): readonly Descriptor[] {
  return index.manifests.filter(
    (descriptor) =>
      (isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType)) &&
      descriptor.platform?.os !== 'unknown' &&
      descriptor.annotations?.['vnd.docker.reference.type'] === undefined,
  );
}

/** Whether an image for `actual` runs on `wanted`. */
export function platformMatches(actual: Platform, wanted: Platform): boolean {
  const text = formatPlatform(normalizePlatform(actual));
  return acceptable(normalizePlatform(wanted)).some((platform) => formatPlatform(platform) === text);
}

function acceptable(platform: Platform): readonly Platform[] {
  const { os, architecture, variant } = platform;
  const of = (name: string, version: string): Platform =>
    normalizePlatform({ os, architecture: name, variant: version });
  const number = Number.parseInt((variant ?? '').replace(/^v/, ''), 10);
  if (architecture === 'amd64') {
    return [platform, ...down(number, 1).map((version) => of('amd64', version)), { os, architecture: '386' }];
  }
  if (architecture === 'arm64') {
    const older = down(number, 8).map((version) => of('arm64', version));
    return [platform, ...older, ...['v8', 'v7', 'v6', 'v5'].map((version) => of('arm', version))];
  }
  return architecture === 'arm'
    ? [platform, ...down(number, 5).map((version) => of('arm', version))]
    : [platform];
}

function down(from: number, to: number): string[] {
  return Number.isNaN(from)
    ? []
    : Array.from({ length: Math.max(0, from - to) }, (_, i) => `v${from - 1 - i}`);
}

function normalizeArchitecture(name: string, variant: string): [string, string] {
  if (name === 'x86_64' || name === 'x86-64' || name === 'amd64')
    return ['amd64', variant === 'v1' ? '' : variant];
  if (name === 'i386' || name === 'i686' || name === '386') return ['386', ''];
  if (name === 'aarch64' || name === 'arm64')
    return ['arm64', ['8', 'v8', 'v8.0'].includes(variant) ? '' : variant];
  const arm = ARM_NAMES[name];
  if (arm !== undefined) return ['arm', arm];
  if (name !== 'arm') return [name, variant];
  if (variant === '') return ['arm', 'v7'];
  return ['arm', /^[5-8]$/.test(variant) ? `v${variant}` : variant];
}
