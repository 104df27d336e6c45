import { Readable } from 'node:stream';
import type { SourceTree, TreeNode } from '../context/types.ts';
import { digestOf } from '../core/digest.ts';
import { parseDockerfile } from '../dockerfile/parse/parse.ts';
import type { ContainerConfig, Image, Platform } from '../oci/types.ts';
import type { NamedContext, UrlFacts } from './inputs.ts';
import { plan } from './plan.ts';
import type { Plan } from './types.ts';

/** What a planned build is made of in a test; everything has a default. */
export interface TestBuild {
  readonly dockerfile: string;
  readonly target?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, TestFile | string>>;
  readonly images?: Readonly<
    Record<string, { readonly layers: readonly string[]; readonly config?: ContainerConfig }>
  >;
  readonly contexts?: Readonly<Record<string, NamedContext>>;
  /** Files of named contexts that are directories. */
  readonly contextFiles?: Readonly<Record<string, Readonly<Record<string, TestFile | string>>>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly imageEnv?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly salt?: string;
  readonly mtime?: number | 'keep';
  readonly urls?: Readonly<Record<string, TestUrl | string>>;
  readonly commits?: Readonly<Record<string, string>>;
}

/** What a URL answers with; by default its file has the last part of the URL as its name, and no time. */
export interface TestUrl {
  readonly content: string;
  readonly name?: string;
  /** Seconds since the epoch. */
  readonly lastModified?: number;
}

export interface TestFile {
  readonly content: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly symlink?: string;
  /** Of what is no regular file and no symlink. */
  readonly type?: 'dir' | 'char' | 'block' | 'fifo';
  readonly device?: readonly [major: number, minor: number];
  readonly xattrs?: Readonly<Record<string, string>>;
  /** Equal for names of one file. */
  readonly hardlink?: string;
}

const LINUX: Platform = { os: 'linux', architecture: 'amd64' };

/** Plans a build of texts, without a machine under it. */
export async function planOf(build: TestBuild): Promise<Plan> {
  return plan({
    dockerfile: parseDockerfile(build.dockerfile, 'Dockerfile'),
    ...(build.target === undefined ? {} : { target: build.target }),
    buildArgs: new Map(Object.entries(build.buildArgs ?? {})),
    contexts: new Map(Object.entries(build.contexts ?? {})),
    labels: new Map(Object.entries(build.labels ?? {})),
    imageEnv: new Map(Object.entries(build.imageEnv ?? {})),
    platform: build.platform ?? LINUX,
    buildPlatform: LINUX,
    ...(build.salt === undefined ? {} : { salt: build.salt }),
    mtime: build.mtime ?? 'keep',
    sources: {
      resolveImage: async (reference, platform) => testImage(build, reference, platform),
      context: async (name) =>
        memoryTree((name === undefined ? build.files : build.contextFiles?.[name]) ?? {}),
      url: async (url) => urlFacts(url, build.urls?.[url] ?? ''),
      gitCommit: async (url) => ({ commit: build.commits?.[url] ?? '0'.repeat(40) }),
    },
  });
}

/** The last key of the target, which stands for everything that the build does. */
export async function keyOf(build: TestBuild): Promise<string> {
  const planned = await planOf(build);
  return planned.stages.get(planned.target)!.lastKey;
}

function testImage(build: TestBuild, reference: string, platform: Platform): Image {
  const image = build.images?.[reference] ?? { layers: [reference] };
  const config = {
    ...platform,
    config: image.config ?? { Env: ['PATH=/bin'] },
    rootfs: { type: 'layers' as const, diff_ids: image.layers.map((layer) => digestOf(`diff ${layer}`)) },
  };
  return { reference, config, parsed: { layers: [] } } as unknown as Image;
}

function urlFacts(url: string, given: TestUrl | string): UrlFacts {
  const { content, name, lastModified }: TestUrl = typeof given === 'string' ? { content: given } : given;
  return {
    digest: digestOf(content),
    name: name ?? url.split('/').at(-1) ?? '',
    ...(lastModified === undefined ? {} : { lastModified }),
  };
}

/** A tree of files in memory, in whatever order they are given; directories are implied. */
export function memoryTree(files: Readonly<Record<string, TestFile | string>>): SourceTree {
  const nodes = new Map<string, TreeNode>();
  const contents = new Map<string, string>();
  const dir = (path: string): void => {
    if (nodes.has(path)) return;
    nodes.set(path, node(path, 'dir', { content: '', mode: 0o755 }));
    if (path !== '') dir(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '');
  };
  dir('');
  for (const [path, given] of Object.entries(files)) {
    const file: TestFile = typeof given === 'string' ? { content: given } : given;
    dir(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '');
    nodes.set(path, node(path, file.type ?? (file.symlink === undefined ? 'file' : 'symlink'), file));
    contents.set(path, file.content);
  }
  const sorted = (): TreeNode[] => [...nodes.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    name: 'the test context',
    list: async (path) =>
      sorted().filter((each) => path === '' || each.path === path || each.path.startsWith(`${path}/`)),
    stat: async (path) => nodes.get(path.replace(/^\/+|\/+$/g, '')),
    open: (each) => Readable.from([Buffer.from(contents.get(each.path) ?? '')]),
    contentDigest: async (each) => digestOf(contents.get(each.path) ?? ''),
  };
}

function node(path: string, type: TreeNode['type'], file: TestFile): TreeNode {
  return {
    path,
    type,
    mode: file.mode ?? 0o644,
    uid: file.uid ?? 1000,
    gid: file.gid ?? 1000,
    size: type === 'file' ? Buffer.byteLength(file.content) : 0,
    mtime: file.mtime ?? 1_700_000_000,
    mtimeNsec: 0,
    linkname: file.symlink ?? '',
    devmajor: file.device?.[0] ?? 0,
    devminor: file.device?.[1] ?? 0,
    ...(file.xattrs === undefined
      ? {}
      : {
          xattrs: new Map(Object.entries(file.xattrs).map(([name, value]) => [name, Buffer.from(value)])),
        }),
    ...(file.hardlink === undefined ? {} : { hardlink: file.hardlink }),
  };
}
