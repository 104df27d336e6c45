/**
 * How much of anything an input may hold that nobody vouches for: layers, archives, manifests, records, tokens. What goes
 * beyond is refused with CORRUPT, which makes it a miss where it came from a cache. docs/reference/limits.md is generated
 * from this table, and test/limits.test.ts exceeds each row by one.
 */
export interface Limit {
  /** The largest value that is allowed. */
  readonly most: number;
  readonly unit: 'bytes' | 'count';
  /** What is counted, as a phrase. */
  readonly text: string;
  /** Where the number comes from. */
  readonly source: string;
}

const GO_SPECIAL =
  "`maxSpecialFileSize` of Go's archive/tar, which Docker, containerd and BuildKit read layers with";
const OURS = 'ours';

export const LIMITS = {
  path: {
    most: 4095,
    unit: 'bytes',
    text: 'the path of an entry of a layer or archive',
    source: '`PATH_MAX` of Linux, without the closing NUL',
  },
  name: {
    most: 255,
    unit: 'bytes',
    text: 'one component of such a path',
    source: '`NAME_MAX` of Linux',
  },
  link: {
    most: 4095,
    unit: 'bytes',
    text: 'the target of a symbolic or hard link',
    source: '`PATH_MAX` of Linux, without the closing NUL',
  },
  extension: {
    most: 1 << 20,
    unit: 'bytes',
    text: 'one PAX header, GNU long name or sparse map of an entry',
    source: GO_SPECIAL,
  },
  extensions: {
    most: 4 << 20,
    unit: 'bytes',
    text: 'all headers before one entry together',
    source: `${OURS}: one of each kind, and then some`,
  },
  file: {
    most: 2 ** 43,
    unit: 'bytes',
    text: 'the size that a file says it has (8 TiB); what is really there is limited by the disk alone',
    source: `${OURS}: half of what ext4 can hold; a hole costs no space`,
  },
  id: {
    most: 2 ** 32 - 2,
    unit: 'count',
    text: 'a user or group ID',
    source: '`uid_t` of Linux, whose last value means "leave it" (chown(2))',
  },
  xattrName: {
    most: 255,
    unit: 'bytes',
    text: 'the name of an extended attribute',
    source: '`XATTR_NAME_MAX` of Linux',
  },
  xattrValue: {
    most: 65_536,
    unit: 'bytes',
    text: 'the value of an extended attribute',
    source: '`XATTR_SIZE_MAX` of Linux',
  },
  xattrs: {
    most: 64 << 20,
    unit: 'bytes',
    text: 'the extended attributes of all entries of a layer together',
    source: `${OURS}: they stay in memory until directories get theirs; a label of 60 bytes for a million files`,
  },
  longNames: {
    most: 32 << 20,
    unit: 'bytes',
    text: 'what names and link targets of a layer have beyond 255 bytes each, together',
    source: `${OURS}: the tree stays in memory; names as long as this are rare`,
  },
  impliedDirectories: {
    most: 100_000,
    unit: 'count',
    text: 'directories of an image that no entry names, only the paths of others',
    source: `${OURS}: one entry may imply 2047 of them; tools write an entry for each`,
  },
  depth: {
    most: 2047,
    unit: 'count',
    text: 'directories above an entry',
    source: 'follows from `PATH_MAX`',
  },
  tocBytes: {
    most: 64 << 20,
    unit: 'bytes',
    text: "a layer's table of contents, decoded",
    source: `${OURS}: some 400,000 files; a larger layer is written without a table and read as a stream`,
  },
  tocRows: {
    most: 500_000,
    unit: 'count',
    text: 'entries in a table of contents',
    source: `${OURS}: as above`,
  },
  tocRow: {
    most: 8 << 20,
    unit: 'bytes',
    text: 'one row of a table of contents',
    source: `${OURS}: a path, a target and more attributes than a file system takes`,
  },
  tocFrames: {
    most: 100_000,
    unit: 'count',
    text: 'frames in a table of contents',
    source: `${OURS}: two that follow each other hold more than 4 MiB, so some 200 GB; a larger layer has no table`,
  },
  frame: {
    most: 4 << 20,
    unit: 'bytes',
    text: 'one frame of a layer, decoded',
    source: 'the size in which layers are written ([decision 52](../adr/0052-a-table-is-the-tar.md))',
  },
  layers: {
    most: 500,
    unit: 'count',
    text: 'layers of an image, or of the chain of a cache record',
    source: "`OVL_MAX_STACK` of Linux; Docker's own limit is 125",
  },
  manifest: {
    most: 8 << 20,
    unit: 'bytes',
    text: 'a manifest, an index or a cache record that is read',
    source:
      'twice what the CNCF\'s registry takes (`maxManifestBodySize`) and registries must take (OCI distribution specification, "Pushing Manifests")',
  },
  pushedManifest: {
    most: 4 << 20,
    unit: 'bytes',
    text: 'a manifest that `envbuilder registry serve` takes',
    source: "`maxManifestBodySize` of the CNCF's registry",
  },
  indexes: {
    most: 4,
    unit: 'count',
    text: 'indexes inside each other',
    source: `${OURS}: registries hold one`,
  },
  config: {
    most: 4 << 20,
    unit: 'bytes',
    text: "an image's config",
    source: '`MaxConfigBodySize` of containers/image',
  },
  recordConfig: {
    most: 1 << 20,
    unit: 'bytes',
    text: "a cache record's config",
    source: `${OURS}: the largest that is written has some 200 KB`,
  },
  blobHoles: {
    most: 4 * 2 ** 30,
    unit: 'bytes',
    text: 'what the file of a blob has that is stored nowhere (4 GiB), where less than a 64th of the file is',
    source: `${OURS}: some seconds of reading zeros; file systems that compress store a 32nd or more, and blobs are compressed`,
  },
  token: {
    most: 1 << 20,
    unit: 'bytes',
    text: 'the answer of a token server',
    source: '`MaxAuthTokenBodySize` of containers/image',
  },
} as const satisfies Record<string, Limit>;
