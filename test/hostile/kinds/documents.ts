import { LIMITS } from '../../../src/core/limits.ts';
import {
  configOf,
  type HostileImage,
  type HostileLayer,
  type ImageDocuments,
  json,
  layerOf,
  manifestOf,
  TYPES,
} from '../images.ts';
import { sha256 } from '../registry.ts';
import { file, tarOf } from '../tar-bytes.ts';
import type { Kind, Must } from '../types.ts';

/** An image whose documents are hostile, with headers that its registry sends. */
export interface DocumentInput {
  readonly image: HostileImage;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further documents, as an index names them. */
  readonly more?: readonly { readonly bytes: Buffer; readonly type: string }[];
}

/** Of every kind another one: Docker fetches no layer whose diffID it knows. */
const layerFor = (name: string): HostileLayer => layerOf(tarOf([file('from-base', `${name}\n`)]), 'gzip');
const nowhere = sha256(Buffer.from('nowhere'));

/** What an edit gave, or what it was done to. */
const bytesOr = (given: unknown, document: unknown): Buffer =>
  Buffer.isBuffer(given) ? given : json(document);

/** What BuildKit builds without a look, and we refuse. */
const STRICTER: Readonly<Record<string, string>> = {
  'manifest-schema-3': 'no schema of this number is known',
  'config-null': 'an image without a config cannot be run',
  'config-20-mb': 'a config has a limit (docs/reference/limits.md)',
  'config-rootfs-type': 'the specification knows one type',
  'config-diff-id-other': 'docker pull refuses what docker build takes',
  'config-diff-ids-up': 'docker pull refuses what docker build takes',
};

interface Edits {
  readonly config?: (config: Record<string, unknown>) => unknown;
  readonly manifest?: (manifest: ImageDocuments['manifest']) => unknown;
  readonly layers?: readonly HostileLayer[];
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function image(name: string, must: Must, edits: (canary: string) => Edits): Kind<DocumentInput> {
  const notDocker = STRICTER[name];
  return {
    name,
    must: notDocker === undefined ? must : 'either',
    ...(notDocker === undefined ? {} : { notDocker }),
    make: ({ canary }) => {
      const {
        config = () => {},
        manifest = () => {},
        layers = [layerFor(name)],
        type = TYPES.manifest,
        headers,
      } = edits(canary);
      const made = configOf(layers);
      const configBytes = bytesOr(config(made), made);
      const document = manifestOf(configBytes, layers);
      const bytes = bytesOr(manifest(document), document);
      const blobs = [configBytes, ...layers.map((each) => each.bytes)];
      return {
        image: { manifest: bytes, type, blobs, config: configBytes, layers },
        ...(headers ? { headers } : {}),
      };
    },
  };
}

const manifest = (
  name: string,
  must: Must,
  edit: (manifest: ImageDocuments['manifest']) => unknown,
): Kind<DocumentInput> => image(`manifest-${name}`, must, () => ({ manifest: edit }));
const config = (
  name: string,
  must: Must,
  edit: (config: Record<string, unknown>, canary: string) => unknown,
): Kind<DocumentInput> =>
  image(`config-${name}`, must, (canary) => ({ config: (made) => edit(made, canary) }));
const inner = (
  name: string,
  must: Must,
  key: string,
  value: unknown | ((canary: string) => unknown),
): Kind<DocumentInput> =>
  config(`${key}-${name}`, must, (made, canary) => {
    (made.config as Record<string, unknown>)[key] = typeof value === 'function' ? value(canary) : value;
  });
const sent = (name: string, must: Must, headers: Readonly<Record<string, string>>): Kind<DocumentInput> =>
  image(`header-${name}`, must, () => ({ headers }));

const child = (name: string): HostileImage => {
  const layer = layerFor(name);
  const made = json(configOf([layer]));
  return {
    manifest: json(manifestOf(made, [layer])),
    type: TYPES.manifest,
    blobs: [made, layer.bytes],
    config: made,
    layers: [layer],
  };
};
function index(
  name: string,
  must: Must,
  edit: (index: { manifests: Record<string, unknown>[]; [key: string]: unknown }) => unknown,
): Kind<DocumentInput> {
  return {
    name: `index-${name}`,
    must,
    make: () => {
      const of = child(name);
      const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
      const document = {
        schemaVersion: 2,
        mediaType: TYPES.index,
        manifests: [
          { mediaType: TYPES.manifest, digest: sha256(of.manifest), size: of.manifest.length, platform },
        ] as Record<string, unknown>[],
      };
      const bytes = bytesOr(edit(document), document);
      return {
        image: { manifest: bytes, type: TYPES.index, blobs: of.blobs, config: of.config, layers: of.layers },
        more: [{ bytes: of.manifest, type: TYPES.manifest }],
      };
    },
  };
}

const deep = (open: string, count: number): Buffer => Buffer.from(open.repeat(count));
const padded = (document: unknown, bytes: number): Buffer =>
  Buffer.from(`${JSON.stringify(document).slice(0, -1)},"x":"${'x'.repeat(bytes)}"}`);

/** Manifests, indexes and configs of a base image. */
export const documents: readonly Kind<DocumentInput>[] = [
  image('honest', 'build', () => ({})),
  manifest('empty', 'refuse', () => Buffer.alloc(0)),
  manifest('text', 'refuse', () => Buffer.from('<html>')),
  manifest('null', 'refuse', () => Buffer.from('null')),
  manifest('list', 'refuse', () => Buffer.from('[]')),
  manifest('object', 'refuse', () => Buffer.from('{}')),
  manifest('bom', 'either', (made) => Buffer.concat([Buffer.from('\ufeff'), json(made)])),
  manifest('not-utf8', 'build', (made) =>
    Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xff]), Buffer.from('",'), json(made).subarray(1)]),
  ),
  manifest('deep', 'refuse', () => deep('[', 1_000_000)),
  manifest('deep-objects', 'refuse', () => deep('{"a":', 300_000)),
  manifest('deep-inside', 'build', (made) =>
    Buffer.from(`${JSON.stringify(made).slice(0, -1)},"x":${'['.repeat(5000)}${']'.repeat(5000)}}`),
  ),
  manifest('3-mb', 'build', (made) => padded(made, 3_000_000)),
  manifest('5-mb', 'either', (made) => padded(made, 5_000_000)),
  manifest('100-mb', 'refuse', (made) => padded(made, 100_000_000)),
  manifest('proto', 'build', (made) =>
    Buffer.from(`{"__proto__":{"layers":[]},${JSON.stringify(made).slice(1)}`),
  ),
  manifest('twice', 'build', (made) => Buffer.from(`{"layers":[],${JSON.stringify(made).slice(1)}`)),
  manifest('schema-1', 'refuse', () =>
    json({ schemaVersion: 1, name: 'x', tag: '1', fsLayers: [], history: [] }),
  ),
  manifest('schema-3', 'build', (made) => void (made.schemaVersion = 3)),
  manifest('schema-text', 'refuse', (made) => void (made.schemaVersion = '2' as never)),
  manifest('media-type-other', 'build', (made) => void (made.mediaType = 'text/html')),
  manifest('media-type-none', 'build', (made) => void delete (made as Record<string, unknown>).mediaType),
  manifest('media-type-index', 'refuse', (made) => void (made.mediaType = TYPES.index)),
  manifest('both', 'refuse', (made) => void (made.manifests = [])),
  manifest('config-none', 'refuse', (made) => void delete (made as Record<string, unknown>).config),
  manifest('config-null', 'refuse', (made) => void (made.config = null as never)),
  manifest('config-missing-blob', 'refuse', (made) => void (made.config.digest = nowhere)),
  manifest('config-size-less', 'refuse', (made) => void (made.config.size = 10)),
  manifest('config-size-more', 'either', (made) => void (made.config.size = 100_000)),
  manifest('config-size-huge', 'refuse', (made) => void (made.config.size = 2 ** 52)),
  manifest('config-type', 'either', (made) => void (made.config.mediaType = 'application/vnd.evil')),
  manifest('config-data', 'build', (made) => void (made.config.data = Buffer.from('{}').toString('base64'))),
  manifest('layers-null', 'either', (made) => void (made.layers = null as never)),
  manifest('layers-object', 'refuse', (made) => void (made.layers = {} as never)),
  manifest('layers-none', 'refuse', (made) => void (made.layers = [])),
  manifest('layers-twice', 'either', (made) => void made.layers.push(made.layers[0]!)),
  manifest(
    'layers-100000',
    'refuse',
    (made) => void (made.layers = Array.from({ length: 20_000 }, () => made.layers[0]!)),
  ),
  manifest('layer-missing-blob', 'refuse', (made) => void (made.layers[0]!.digest = nowhere)),
  manifest(
    'layer-digest-up',
    'refuse',
    (made) => void (made.layers[0]!.digest = `sha256:${'../'.repeat(20)}etc/passwd`),
  ),
  manifest(
    'layer-digest-upper',
    'refuse',
    (made) => void (made.layers[0]!.digest = String(made.layers[0]!.digest).toUpperCase()),
  ),
  manifest(
    'layer-digest-sha512',
    'refuse',
    (made) => void (made.layers[0]!.digest = `sha512:${'a'.repeat(128)}`),
  ),
  manifest('layer-digest-number', 'refuse', (made) => void (made.layers[0]!.digest = 5)),
  manifest('layer-size-less', 'refuse', (made) => void (made.layers[0]!.size = 10)),
  manifest('layer-size-zero', 'refuse', (made) => void (made.layers[0]!.size = 0)),
  manifest('layer-size-more', 'either', (made) => void (made.layers[0]!.size = 100_000)),
  manifest('layer-size-negative', 'refuse', (made) => void (made.layers[0]!.size = -1)),
  manifest('layer-size-huge', 'either', (made) => void (made.layers[0]!.size = Number.MAX_SAFE_INTEGER)),
  manifest('layer-size-fraction', 'refuse', (made) => void (made.layers[0]!.size = 1.5)),
  manifest(
    'layer-type-encrypted',
    'build',
    (made) => void (made.layers[0]!.mediaType = `${TYPES.gzip}+encrypted`),
  ),
  manifest('layer-type-html', 'build', (made) => void (made.layers[0]!.mediaType = 'text/html')),
  manifest('layer-type-lies', 'build', (made) => void (made.layers[0]!.mediaType = TYPES.zstd)),
  manifest(
    'layer-urls',
    'either',
    (made) => void (made.layers[0]!.urls = ['file:///etc/shadow', 'http://169.254.169.254/']),
  ),
  manifest('layer-foreign', 'build', (made) => {
    made.layers[0]!.mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
  }),
  manifest('annotations-number', 'either', (made) => void (made.annotations = { a: 5 })),
  manifest('subject-bad', 'either', (made) => void (made.subject = 5)),
  manifest('platform-bad', 'either', (made) => void (made.layers[0]!.platform = 'linux')),
  sent('digest-other', 'refuse', { 'docker-content-digest': nowhere }),
  sent('digest-garbage', 'either', { 'docker-content-digest': '../../etc' }),
  sent('type-html', 'either', { 'content-type': 'text/html' }),
  sent('type-index', 'refuse', { 'content-type': TYPES.index }),
  sent('type-long', 'either', { 'content-type': `x/${'y'.repeat(6000)}` }),
  sent('encoding-lies', 'build', { 'content-encoding': 'gzip' }),
  sent('long', 'build', { 'x-long': 'y'.repeat(12_000) }),
  config('empty', 'refuse', () => Buffer.alloc(0)),
  config('text', 'refuse', () => Buffer.from('no json')),
  config('null', 'build', () => Buffer.from('null')),
  config('list', 'refuse', () => Buffer.from('[]')),
  config('deep', 'refuse', () => deep('{"a":', 300_000)),
  config('20-mb', 'build', (made) => padded(made, 20_000_000)),
  config('rootfs-none', 'either', (made) => void delete made.rootfs),
  config('rootfs-null', 'either', (made) => void (made.rootfs = null)),
  config(
    'rootfs-type',
    'build',
    (made) => void (made.rootfs = { ...(made.rootfs as object), type: 'other' }),
  ),
  config('diff-id-other', 'build', (made) => void (made.rootfs = { type: 'layers', diff_ids: [nowhere] })),
  config('diff-ids-none', 'refuse', (made) => void (made.rootfs = { type: 'layers', diff_ids: [] })),
  config(
    'diff-ids-more',
    'refuse',
    (made) =>
      void (made.rootfs = {
        type: 'layers',
        diff_ids: [...(made.rootfs as { diff_ids: string[] }).diff_ids, nowhere],
      }),
  ),
  config('diff-ids-numbers', 'refuse', (made) => void (made.rootfs = { type: 'layers', diff_ids: [5] })),
  config(
    'diff-ids-up',
    'build',
    (made) => void (made.rootfs = { type: 'layers', diff_ids: ['sha256:../../x'] }),
  ),
  config('os-number', 'either', (made) => void (made.os = 5)),
  config('os-windows', 'either', (made) => void (made.os = 'windows')),
  config('architecture-none', 'build', (made) => void delete made.architecture),
  config('architecture-other', 'build', (made) => void (made.architecture = 's390x')),
  config('history-text', 'either', (made) => void (made.history = 'text')),
  config('history-none', 'build', (made) => void delete made.history),
  config(
    'history-more',
    'build',
    (made) => void (made.history = Array.from({ length: 5 }, () => ({ created_by: 'x' }))),
  ),
  config(
    'history-100000',
    'build',
    (made) =>
      void (made.history = Array.from({ length: 100_000 }, () => ({ created_by: 'x', empty_layer: true }))),
  ),
  config('created-bad', 'either', (made) => void (made.created = 'yesterday')),
  config('config-null', 'build', (made) => void (made.config = null)),
  config('config-list', 'either', (made) => void (made.config = [])),
  config('config-text', 'either', (made) => void (made.config = 'x')),
  inner('text', 'either', 'Env', 'PATH=/bin'),
  inner('number', 'either', 'Env', [5]),
  inner('no-equals', 'build', 'Env', ['NAME', '=value', '']),
  inner('nul', 'build', 'Env', ['A=b\0c']),
  inner('newline', 'build', 'Env', ['A=b\nc', 'LD_PRELOAD=/x.so', 'NODE_OPTIONS=--require /x.js']),
  inner(
    '20000',
    'build',
    'Env',
    Array.from({ length: 20_000 }, (_, i) => `V${i}=${'x'.repeat(20)}`),
  ),
  inner('2-mb', 'build', 'Env', [`A=${'x'.repeat(2_000_000)}`]),
  inner('number', 'either', 'User', 5),
  inner('unknown', 'build', 'User', 'nobody-here'),
  inner('odd', 'build', 'User', '\0:\n'),
  inner('huge', 'build', 'User', '99999999999999999999:4294967296'),
  inner('up', 'build', 'WorkingDir', '../../../..'),
  inner('canary', 'build', 'WorkingDir', (canary: string) => canary),
  inner('number', 'either', 'WorkingDir', 5),
  inner('long', 'build', 'WorkingDir', `/${'d/'.repeat(5000)}`),
  inner('nul', 'build', 'WorkingDir', '/a\0b'),
  inner('text', 'either', 'Cmd', '/bin/sh'),
  inner('numbers', 'either', 'Entrypoint', [1, null]),
  inner('text', 'either', 'Labels', 'x'),
  inner('numbers', 'either', 'Labels', { a: 5 }),
  inner(
    'many',
    'build',
    'Labels',
    Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`l${i}`, 'v'])),
  ),
  inner('metadata', 'build', 'Labels', { 'devcontainer.metadata': '[{"remoteUser":5' }),
  inner('list', 'either', 'Volumes', ['/data']),
  inner('bad', 'build', 'ExposedPorts', { 'notaport/xyz': {} }),
  inner('text', 'either', 'Shell', 'sh'),
  inner('empty', 'build', 'Shell', []),
  inner('from', 'refuse', 'OnBuild', ['FROM scratch']),
  inner('garbage', 'refuse', 'OnBuild', ['\0\0\0', 'NOSUCH x']),
  inner('chain', 'build', 'OnBuild', ['ONBUILD RUN x']),
  inner('mount', 'either', 'OnBuild', ['COPY ../../../../etc/passwd /x']),
  inner('add-canary', 'either', 'OnBuild', (canary: string) => [`ADD ${canary}/secret /x`]),
  inner('numbers', 'either', 'OnBuild', [5]),
  inner(
    'many',
    'build',
    'OnBuild',
    Array.from({ length: 5000 }, () => 'ENV A=b'),
  ),
  inner('long', 'either', 'OnBuild', [`ENV A=${'x'.repeat(3_000_000)}`]),
  inner('bad', 'either', 'Healthcheck', { Test: 5, Interval: 'x' }),
  inner('bad', 'build', 'StopSignal', 'SIGNOTHING'),
  index('honest', 'build', () => {}),
  index('empty', 'refuse', (made) => void (made.manifests = [])),
  index('null', 'refuse', (made) => void (made.manifests = null as never)),
  index('numbers', 'refuse', (made) => void (made.manifests = [5 as never])),
  index('no-platform', 'build', (made) => void delete made.manifests[0]!.platform),
  index('platform-number', 'either', (made) => void (made.manifests[0]!.platform = 5)),
  index(
    'platform-other',
    'refuse',
    (made) => void (made.manifests[0]!.platform = { os: 'plan9', architecture: 'mips' }),
  ),
  index('missing-child', 'refuse', (made) => void (made.manifests[0]!.digest = nowhere)),
  index('child-size', 'refuse', (made) => void (made.manifests[0]!.size = 3)),
  index('child-type-index', 'refuse', (made) => void (made.manifests[0]!.mediaType = TYPES.index)),
  index('child-digest-up', 'refuse', (made) => void (made.manifests[0]!.digest = 'sha256:../..')),
  index(
    '50000',
    'build',
    (made) => void (made.manifests = Array.from({ length: 20_000 }, () => made.manifests[0]!)),
  ),
  index('deep', 'refuse', () => deep('{"manifests":[', 100_000)),
  ...nested(),
];

/** An index of an index of an index. */
function nested(): Kind<DocumentInput>[] {
  return [2, 30].map((depth) => ({
    name: `index-nested-${depth}`,
    must: 'either' as const,
    ...(depth > LIMITS.indexes.most
      ? { notDocker: 'indexes inside each other have a limit (docs/reference/limits.md)' }
      : {}),
    make: () => {
      const of = child(`nested-${depth}`);
      const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
      const more = [{ bytes: of.manifest, type: TYPES.manifest as string }];
      for (let level = 0; level < depth; level += 1) {
        const { bytes, type } = more.at(-1)!;
        const manifests = [{ mediaType: type, digest: sha256(bytes), size: bytes.length, platform }];
        more.push({
          bytes: json({ schemaVersion: 2, mediaType: TYPES.index, manifests }),
          type: TYPES.index,
        });
      }
      const top = more.pop()!;
      return { image: { ...of, manifest: top.bytes, type: top.type }, more };
    },
  }));
}
