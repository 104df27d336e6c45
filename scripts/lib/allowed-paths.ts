/** The places where code that handles foreign trees hands paths to node:fs itself; see check-paths.ts. */

export interface AllowedPath {
  /** Functions of node:fs. */
  readonly calls: readonly string[];
  /** Why nothing in a tree that somebody else has filled can lead them astray. */
  readonly reason: string;
}

export type AllowedPaths = Readonly<Record<string, AllowedPath>>;

const OWN =
  'paths of our own: a working directory that nobody else may enter, or what lies in it under names of ours';
const OPERATOR = 'what the operator names on the command line or by a variable, which may lie anywhere';
const QUIET =
  'a tree that no process works in any more, listed by lstat just before, so that no directory on the way is a link';
const OWN_ROOT =
  'the root of our own container, which is to be replaced: there is nothing beside it, and mounts are pins';
const EXTRACTION =
  'the hot path of extraction: directories of the union that this writer made itself in an empty directory, so that no ' +
  'path leads through a link; extract/hostile.test.ts shows it';
const DEFINITION = 'definitions of a build, whose paths are judged where they are read';

const at = (reason: string, ...calls: readonly string[]): AllowedPath => ({ calls, reason });

export const ALLOWED_PATHS: AllowedPaths = {
  'src/builder/make-plan.ts': at(DEFINITION, 'stat'),
  'src/builder/open-backend.ts': at(OWN, 'mkdirSync', 'mkdtempSync', 'readdirSync', 'rmSync'),
  'src/builder/outputs/rootfs-output.ts': at(OPERATOR, 'existsSync', 'readdirSync', 'rmSync', 'statSync'),
  'src/builder/outputs/write-outputs.ts': at(OPERATOR, 'existsSync', 'rm'),
  'src/builder/probe-url.ts': at(OWN, 'mkdtemp', 'rm'),
  'src/builder/publishing/growing-file.ts': at(OWN, 'open'),
  'src/builder/publishing/layer-blobs.ts': at(OWN, 'createReadStream', 'open'),
  'src/builder/publishing/runtime.ts': at(OWN, 'rmSync'),
  'src/builder/steps/context-tree.ts': at(OWN, 'mkdirSync'),
  'src/builder/steps/copy-files.ts': at(
    'copies from one open file to another, by the paths of their descriptors',
    'copyFileSync',
  ),
  'src/builder/steps/copy-step.ts': at(OWN, 'chmodSync', 'mkdtemp', 'rmSync'),
  'src/builder/steps/mounts.ts': at(
    'files below the working directory and the directory of caches under names of ours; a socket of the user',
    'chmodSync',
    'chownSync',
    'existsSync',
    'mkdirSync',
    'mkdtempSync',
    'realpathSync',
    'renameSync',
    'rmSync',
    'writeFileSync',
  ),
  'src/builder/steps/network-files.ts': at(
    'name resolution of the host, and files below the working directory',
    'mkdirSync',
    'readFileSync',
    'writeFileSync',
  ),
  'src/builder/work-dir/dead-builds.ts': at(OWN, 'existsSync', 'readdirSync', 'realpathSync', 'rmSync'),
  'src/builder/work-dir/file-locks.ts': at(OWN, 'openSync', 'statSync'),
  'src/builder/work-dir/remove-tree.ts': at(OWN, 'lstatSync', 'readdirSync', 'rmdirSync', 'unlinkSync'),
  'src/builder/work-dir/start-sweep.ts': at(OWN, 'writeFileSync'),
  'src/builder/work-dir/work-dir.ts': at(OWN, 'chmodSync', 'mkdirSync', 'realpathSync', 'rmSync'),
  'src/context/add-git.ts': at(OWN, 'cp', 'mkdir', 'mkdtemp', 'readdir', 'rename', 'rm', 'statSync'),
  'src/context/add-url.ts': at(OWN, 'createWriteStream', 'rm'),
  'src/context/dir-tree.ts': at(
    'asks for the facts of what is listed and opens nothing by them; the stream is over an open file',
    'createReadStream',
    'lstatSync',
    'readlinkSync',
    'realpathSync',
  ),
  'src/context/git/git-watch.ts': at('facts of processes below /proc', 'readFileSync', 'readdirSync'),
  'src/context/git/unnamed-file.ts': at(OWN, 'openSync', 'unlinkSync'),
  'src/context/memo-file.ts': at(
    'files of our own in the state directory',
    'readFileSync',
    'renameSync',
    'rmSync',
    'writeFileSync',
  ),
  'src/context/mode-view.ts': at('facts of paths, to be compared; nothing is opened', 'lstatSync'),
  'src/context/repository.ts': at(DEFINITION, 'existsSync', 'readlinkSync', 'realpathSync', 'statSync'),
  'src/context/tree-node.ts': at(
    'the text of a link that was listed just before, which goes into the key; nothing is opened',
    'readlinkSync',
  ),
  'src/context/tree-state.ts': at('facts of paths, to be compared; nothing is opened', 'lstatSync'),
  'src/devcontainer/compose/compose-form.ts': at(DEFINITION, 'existsSync'),
  'src/devcontainer/discover.ts': at(DEFINITION, 'readdirSync', 'statSync'),
  'src/devcontainer/features/install-contexts.ts': at(OWN, 'mkdirSync', 'writeFileSync'),
  'src/devcontainer/features/local.ts': at(
    'where a folder lies, before its files are opened inside it',
    'lstatSync',
    'realpathSync',
  ),
  'src/devcontainer/workspace-folder.ts': at(DEFINITION, 'existsSync'),
  'src/layer/file-layer-writer.ts': at(OWN, 'openSync', 'rmSync'),
  'src/layer/fixed-tree.ts': at(
    'the files of the program itself',
    'lstatSync',
    'openSync',
    'readdirSync',
    'readlinkSync',
  ),
  'src/oci/base-cache/base-cache.ts': at(OPERATOR, 'statSync'),
  'src/oci/blob-file.ts': at(
    'hard links a file of our own into a directory that is open',
    'linkSync',
    'statSync',
  ),
  'src/oci/blob-source.ts': at(
    'a blob that this process wrote, below its working directory',
    'createReadStream',
  ),
  'src/oci/dir-check.ts': at(
    'whether the directory that the operator named is one, and what it is called in',
    'accessSync',
    'existsSync',
    'readdirSync',
    'statSync',
  ),
  'src/oci/dir-lock.ts': at(
    'the lock in the directory that the operator named; no link is followed and nothing waits',
    'openSync',
  ),
  'src/oci/docker-config.ts': at(OPERATOR, 'statSync'),
  'src/oci/http/tls-profiles.ts': at(OPERATOR, 'readdirSync'),
  'src/oci/oci-layout.ts': at(OPERATOR, 'readdirSync', 'statSync'),
  'src/registry/htpasswd.ts': at(OPERATOR, 'statSync'),
  'src/rootfs/describe-tree.ts': at(QUIET, 'lstatSync', 'readFileSync', 'readdirSync', 'readlinkSync'),
  'src/rootfs/extract/frame-writer.ts': at(EXTRACTION, 'openSync'),
  'src/rootfs/extract/stream.ts': at(OWN, 'statfsSync'),
  'src/rootfs/extract/tree-writer-meta.ts': at(
    EXTRACTION,
    'chmodSync',
    'lchownSync',
    'lutimesSync',
    'readFileSync',
  ),
  'src/rootfs/extract/tree-writer.ts': at(
    EXTRACTION,
    'chmodSync',
    'linkSync',
    'mkdirSync',
    'openSync',
    'renameSync',
    'rmdirSync',
    'statSync',
    'symlinkSync',
    'unlinkSync',
  ),
  'src/rootfs/inplace/backend.ts': at(OWN_ROOT, 'lstatSync', 'mkdirSync', 'rmSync'),
  'src/rootfs/inplace/compare.ts': at(OWN_ROOT, 'openSync', 'readlinkSync'),
  'src/rootfs/inplace/foreign-changes.ts': at(OWN_ROOT, 'lstatSync'),
  'src/rootfs/inplace/found-places.ts': at(OWN_ROOT, 'readFileSync'),
  'src/rootfs/inplace/guard.ts': at(OWN_ROOT, 'lstatSync', 'readlinkSync', 'realpathSync', 'statSync'),
  'src/rootfs/inplace/journal.ts': at(
    OWN,
    'existsSync',
    'lstatSync',
    'readFileSync',
    'renameSync',
    'rmSync',
    'writeFileSync',
  ),
  'src/rootfs/inplace/look-at.ts': at(OWN_ROOT, 'lstatSync'),
  'src/rootfs/inplace/mounts.ts': at(
    OWN_ROOT,
    'chmodSync',
    'chownSync',
    'copyFileSync',
    'cpSync',
    'lstatSync',
    'mkdirSync',
    'renameSync',
    'rmdirSync',
    'statSync',
    'symlinkSync',
    'utimesSync',
  ),
  'src/rootfs/inplace/move.ts': at(
    OWN_ROOT,
    'chmodSync',
    'lchownSync',
    'lstatSync',
    'mkdirSync',
    'renameSync',
    'rmdirSync',
    'unlinkSync',
  ),
  'src/rootfs/inplace/pins.ts': at(OWN_ROOT, 'lstatSync', 'realpathSync'),
  'src/rootfs/inplace/root.ts': at(OWN_ROOT, 'lstatSync', 'mkdirSync', 'rmSync'),
  'src/rootfs/inplace/same-content.ts': at(OWN_ROOT, 'lstatSync', 'openSync', 'readlinkSync'),
  'src/rootfs/inplace/show-image.ts': at(
    OWN_ROOT,
    'chmodSync',
    'copyFileSync',
    'lchownSync',
    'lstatSync',
    'mkdirSync',
    'openSync',
    'readFileSync',
    'readlinkSync',
    'renameSync',
    'rmSync',
    'rmdirSync',
    'symlinkSync',
    'unlinkSync',
    'utimesSync',
  ),
  'src/rootfs/inplace/stand-ins.ts': at(
    OWN_ROOT,
    'lstatSync',
    'readlinkSync',
    'renameSync',
    'symlinkSync',
    'unlinkSync',
  ),
  'src/rootfs/inplace/table.ts': at(OWN_ROOT, 'statSync', 'utimesSync', 'writeFileSync'),
  'src/rootfs/inplace/trees.ts': at(OWN, 'chmodSync', 'lstatSync', 'mkdirSync'),
  'src/rootfs/mount-points.ts': at(
    'the time of a directory that is open, by the path of its descriptor',
    'utimesSync',
  ),
  'src/rootfs/overlay/backend.ts': at(OWN, 'chmodSync', 'mkdirSync', 'rmSync'),
  'src/rootfs/overlay/bases.ts': at(OWN, 'chmodSync'),
  'src/rootfs/overlay/mounts.ts': at(OWN, 'mkdirSync', 'symlinkSync'),
  'src/rootfs/overlay/stack.ts': at(QUIET, 'chmodSync', 'chownSync', 'lstatSync'),
  'src/rootfs/resolve-in-root.ts': at(
    'looks at links of our own root, and of checkouts in a directory of our own; it opens nothing',
    'lstatSync',
    'readlinkSync',
  ),
  'src/rootfs/snapshot/entry.ts': at(QUIET, 'lstatSync', 'readdirSync', 'readlinkSync'),
  'src/rootfs/snapshot/scan.ts': at(QUIET, 'openSync', 'readlinkSync'),
  'src/rootfs/snapshot/write.ts': at(QUIET, 'openSync'),
  'src/warm/cache-dir.ts': at(
    'names in the directory that the operator named; its lock follows no link',
    'mkdtempSync',
    'openSync',
    'readdirSync',
  ),
  'src/warm/write-kaniko.ts': at('a stream over an open file', 'createWriteStream'),
  'src/workspace/move-tree.ts': at(
    'copies over a border of file systems, to where nothing is; links are copied as they are',
    'cpSync',
  ),
  'src/workspace/prepare.ts': at(
    'looks at what is in the workspace folder that the operator named',
    'lstatSync',
    'mkdtempSync',
    'readdirSync',
    'rmSync',
    'statSync',
  ),
  'src/workspace/runner.ts': at(OWN, 'rm'),
  'src/workspace/submodules.ts': at('asks whether git made something', 'existsSync'),
};
