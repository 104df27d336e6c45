import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testCacheDir } from '../../scripts/lib/cache-dir.ts';
import type { DockerEngine } from '../../scripts/lib/docker-engine.ts';
import type { Services } from '../../scripts/lib/services.ts';
import { capture, run } from '../../scripts/lib/shell.ts';
import type { Case, PreparedCase } from './case.ts';
import { describeImage, readDockerArchive } from './read-image.ts';
import type { ImageDescription } from './tree.ts';

/** What Docker made of a case: the image, or what it said when it refused. */
export type OracleResult =
  | { readonly built: true; readonly image: ImageDescription }
  | { readonly built: false; readonly output: string };

/** Builds a case with Docker and describes the image, read back through `docker save` and our own flattening. */
export async function askDocker(
  docker: DockerEngine,
  services: Services,
  test: Case,
  prepared: PreparedCase,
): Promise<OracleResult> {
  const memo = process.env.ENVBUILDER_TEST_MEMO === '1' ? memoFile(docker, test, services) : undefined;
  if (memo !== undefined && existsSync(memo)) return JSON.parse(readFileSync(memo, 'utf8')) as OracleResult;
  const tag = `case-${test.name}`;
  const args = [
    'buildx',
    'build',
    // BuildKit would take the files of another case with the same content, and their times with them.
    '--no-cache',
    '--network=host',
    '--provenance=false',
    '--progress=plain',
    `--tag=${tag}`,
  ];
  const { code, stderr } = await capture(docker.command, [...args, ...caseArgs(test, prepared, 'docker')], {
    env: { ...docker.env, ...test.options.secretEnv },
  });
  if (code !== 0) return { built: false, output: stderr };
  const dir = join(prepared.side, 'saved');
  mkdirSync(dir);
  await run('/bin/sh', ['-c', '"$1" image save "$2" | tar -xf - -C "$3"', 'sh', docker.command, tag, dir], {
    env: docker.env,
  });
  const image = describeImage(await readDockerArchive(dir), services.startedAt);
  rmSync(dir, { recursive: true, force: true });
  const result: OracleResult = { built: true, image };
  if (memo !== undefined) writeFileSync(memo, JSON.stringify(result));
  return result;
}

/** The arguments that both command lines share: they are spelled alike. */
export function caseArgs(test: Case, prepared: PreparedCase, builder: 'docker' | 'envbuilder'): string[] {
  const { options } = test;
  const file = builder === 'docker' ? prepared.dockerDockerfile : prepared.dockerfile;
  const args = options.implied === true ? [] : [`--file=${file}`];
  const equivalent = builder === 'docker' && prepared.dockerDockerfile !== prepared.dockerfile;
  if (options.target !== undefined && !equivalent) args.push(`--target=${options.target}`);
  if (options.platform !== undefined) args.push(`--platform=${options.platform}`);
  for (const [name, value] of Object.entries(options.buildArgs ?? {}))
    args.push(`--build-arg=${name}=${value}`);
  for (const context of prepared.contexts) args.push(`--build-context=${context}`);
  for (const [name, value] of Object.entries(options.labels ?? {})) args.push(`--label=${name}=${value}`);
  for (const [id, value] of Object.entries(options.secrets ?? {})) {
    const file = join(prepared.side, `secret-${id}`);
    writeFileSync(file, value);
    args.push(`--secret=id=${id},src=${file}`);
  }
  for (const name of Object.keys(options.secretEnv ?? {})) args.push(`--secret=id=${name},env=${name}`);
  if (options.ssh === true) args.push(`--ssh=default=${join(prepared.side, 'agent')}`);
  return [...args, prepared.context];
}

/** For work on the tests themselves: with ENVBUILDER_TEST_MEMO=1 an unchanged case is not built by Docker again. */
function memoFile(docker: DockerEngine, test: Case, services: Services): string {
  const hash = createHash('sha256').update(docker.version);
  const base = readFileSync(join(import.meta.dirname, '../../scripts/lib/base-images.ts'));
  hash
    .update(base)
    .update(JSON.stringify(test.options))
    .update(services.http === undefined ? '-' : '+');
  const dir = join(testCacheDir(), 'memo');
  mkdirSync(dir, { recursive: true });
  for (const name of listFiles(test.dir)) hash.update(name).update(readFileSync(name));
  return join(dir, `${test.name}-${hash.digest('hex').slice(0, 16)}.json`);
}

function listFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
