import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definitionOf } from './testing.ts';

const WORKSPACE = '/workspaces/app';
const LOCAL = '$' + '{localWorkspaceFolder}';
const BASE = '$' + '{localWorkspaceFolderBasename}';

interface Place {
  readonly config: object;
  /** Volumes of a Compose service instead of an image. */
  readonly volumes?: readonly string[];
  /** Where hooks run; the workspace itself when left out. */
  readonly folder?: string;
  /** What has to lead to the workspace. */
  readonly link?: string;
}

const PLACES: Readonly<Record<string, Place>> = {
  nothing: { config: {} },
  'the workspace': { config: { workspaceFolder: `/workspaces/${BASE}/` } },
  'a folder in it': { config: { workspaceFolder: `${LOCAL}/sub` }, folder: `${WORKSPACE}/sub` },
  'another path': { config: { workspaceFolder: '/work' }, folder: '/work', link: '/work' },
  'another path, with its mount': {
    config: { workspaceFolder: '/work', workspaceMount: `type=bind,source=${LOCAL},target=/work` },
    folder: '/work',
    link: '/work',
  },
  'a folder of the mount': {
    config: { workspaceFolder: '/work/sub/dir', workspaceMount: `src=${LOCAL},dst=/work,type=bind` },
    folder: '/work/sub/dir',
    link: '/work',
  },
  'a mount of what is around the workspace': {
    config: {
      workspaceFolder: `/src/${BASE}/sub`,
      workspaceMount: 'source=/workspaces,target=/src,type=bind',
    },
    folder: '/src/app/sub',
    link: '/src/app',
  },
  'a mount of something else': {
    config: { workspaceFolder: '/work/a', workspaceMount: 'source=other,target=/work,type=volume' },
    folder: '/work/a',
    link: '/work/a',
  },
  'the volume of a service': {
    config: { workspaceFolder: '/work/sub' },
    volumes: ['..:/work:cached'],
    folder: '/work/sub',
    link: '/work',
  },
  'a volume around the workspace': {
    config: { workspaceFolder: '/all/project' },
    volumes: ['../..:/all'],
    folder: '/all/project',
    link: '/all/project',
  },
  'a service without volumes': {
    config: { workspaceFolder: '/work' },
    volumes: [],
    folder: '/work',
    link: '/work',
  },
  'what is around the workspace': { config: { workspaceFolder: '/workspaces' } },
  'the root': { config: { workspaceFolder: '/' } },
  'a relative path': { config: { workspaceFolder: 'sub' } },
  'a way out of the workspace': {
    config: { workspaceFolder: `${LOCAL}/../other` },
    folder: '/workspaces/other',
    link: '/workspaces/other',
  },
  'our own directory': { config: { workspaceFolder: '/.envbuilder/x' } },
  'the kernel’s': { config: { workspaceFolder: '/proc/x' } },
};

async function placeOf({ config, volumes }: Place, workspaceFixed: boolean) {
  const built = volumes ? { dockerComposeFile: 'c.yml', service: 'app' } : { image: 'base' };
  const where = '$' + '{containerWorkspaceFolder}';
  const { devcontainer, warnings } = await definitionOf({
    files: {
      '.devcontainer/devcontainer.json': { ...built, ...config, postCreateCommand: `ls ${where}` },
      '.devcontainer/c.yml': { services: { app: { image: 'base', volumes: volumes ?? [] } } },
    },
    images: { base: {} },
    request: { inContainer: true, containerFolder: WORKSPACE, workspaceFixed },
  });
  const { workspaceFolder, workspaceLink, hooks } = devcontainer;
  assert.equal(hooks.postCreateCommand[0]?.command, `ls ${workspaceFolder}`);
  return { folder: workspaceFolder, link: workspaceLink, warnings };
}

for (const [name, place] of Object.entries(PLACES)) {
  test(`workspaceFolder is ${name}`, async () => {
    const { folder = WORKSPACE, link } = place;
    const asked = 'workspaceFolder' in place.config && (place.config.workspaceFolder as string);
    const found = await placeOf(place, false);
    assert.deepEqual([found.folder, found.link], [folder, link]);
    const isSaid = found.warnings.some((text) => text.startsWith('workspaceFolder ('));
    assert.equal(
      isSaid,
      Boolean(asked) && folder === WORKSPACE && name !== 'the workspace',
      String(found.warnings),
    );
    // Whoever starts the container goes first.
    const fixed = await placeOf(place, true);
    const isIn = folder.startsWith(`${WORKSPACE}/`);
    assert.deepEqual([fixed.folder, fixed.link], [isIn ? folder : WORKSPACE, undefined]);
    if (link !== undefined)
      assert.match(fixed.warnings.join('\n'), /^workspaceFolder .* the workspace is in \/workspaces\/app$/m);
  });
}
