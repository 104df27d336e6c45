import { hexOf } from '../../core/digest.ts';
import { maskUrlCredentials } from '../../core/url-credentials.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Attachment } from '../../oci/referrer.ts';
import type { Descriptor, Image, Platform } from '../../oci/types.ts';
import type { Plan, Step, TreeSource } from '../../plan/types.ts';
import type { BuildRequest } from '../types.ts';
import { statementAbout } from './statement.ts';

/** What an image was made of (SLSA provenance 1.0, "ResourceDescriptor"). */
interface Material {
  readonly uri: string;
  readonly digest: Readonly<Record<string, string>>;
}

const PREDICATE = 'https://slsa.dev/provenance/v1';

/**
 * How an image was built, as an in-toto statement with SLSA's provenance. It has no times, so that the same build says the same, and no secrets: of build arguments their names, and their values with
 * `max` alone.
 */
export function provenanceOf(
  request: BuildRequest,
  commits: ReadonlyMap<string, string>,
  { name, plan, subject }: { readonly name: string; readonly plan: Plan; readonly subject: Descriptor },
): Attachment {
  const { mode, builderId, version } = request.provenance!;
  return statementAbout(subject, {
    name,
    predicateType: PREDICATE,
    predicate: {
      buildDefinition: {
        buildType: 'urn:envbuilder:dockerfile:v1',
        externalParameters: parametersOf(request, plan, mode),
        resolvedDependencies: materialsOf(commits, plan),
      },
      runDetails: { builder: { id: builderId, version: { envbuilder: version } } },
    },
  });
}

function parametersOf(
  { buildArgs, labels, secrets, ssh, target, contexts, contextSource, reproducible }: BuildRequest,
  plan: Plan,
  mode: 'min' | 'max',
): object {
  const names = (of: Iterable<string>): readonly string[] | undefined => {
    const all = [...of].sort();
    return all.length > 0 ? all : undefined;
  };
  const values = (of: ReadonlyMap<string, string>): object | undefined =>
    of.size === 0
      ? undefined
      : Object.fromEntries([...of].map(([name, value]) => [name, maskUrlCredentials(value)]));
  const all = mode === 'max';
  const source = contextSource && contextSource.type !== 'file' ? contextSource.url : undefined;
  return {
    ...(source === undefined ? {} : { context: maskUrlCredentials(source) }),
    target,
    platform: formatPlatform(plan.imagePlatform),
    buildArgs: all ? values(buildArgs) : names(buildArgs.keys()),
    labels: all ? values(labels) : names(labels.keys()),
    buildContexts: names(contexts.keys()),
    secrets: names(secrets.map(({ id }) => id)),
    ssh: names(ssh.map(({ id }) => id)),
    reproducible: reproducible === true,
    // The instructions themselves, as they are written.
    ...(all ? { steps: [...plan.stages.values()].flatMap(({ steps }) => steps.map(textOf)) } : {}),
  };
}

const textOf = ({ text }: Step): string => maskUrlCredentials(text);

/** Everything that came from elsewhere: base images, the commit of the context, and what ADD fetched; each once. */
function materialsOf(commits: ReadonlyMap<string, string>, { stages }: Plan): readonly Material[] {
  const found: Material[] = [...commits].map(([url, commit]) => gitMaterial(url, commit));
  for (const { base, platform, steps } of stages.values())
    for (const source of [base, ...steps.flatMap(sourcesOf)])
      if (source.type === 'image') found.push(imageMaterial(source.image, platform));
  for (const { steps } of stages.values()) found.push(...steps.flatMap(fetchedBy));
  const byText = new Map(found.map((one) => [JSON.stringify(one), one]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function sourcesOf({ operation }: Step): readonly TreeSource[] {
  if (operation.kind === 'copy')
    return operation.inputs.flatMap((input) => (input.kind === 'from' ? [input.source] : []));
  if (operation.kind !== 'run') return [];
  return operation.mounts.flatMap(({ source }) => (source && isTree(source) ? [source] : []));
}

function isTree(source: { readonly type?: string }): source is TreeSource {
  return source.type === 'image' || source.type === 'stage' || source.type === 'scratch';
}

function fetchedBy({ operation }: Step): readonly Material[] {
  if (operation.kind !== 'copy') return [];
  return operation.inputs.flatMap((input) => {
    if (input.kind === 'git') return [gitMaterial(input.url, input.commit)];
    return input.kind === 'url'
      ? [{ uri: maskUrlCredentials(input.url), digest: digestSet(input.digest) }]
      : [];
  });
}

function gitMaterial(url: string, commit: string): Material {
  const masked = maskUrlCredentials(url);
  return { uri: masked.startsWith('git') ? masked : `git+${masked}`, digest: { gitCommit: commit } };
}

/** As a package URL (purl-spec, type docker), as BuildKit names images. */
function imageMaterial({ reference, manifest }: Image, platform: Platform): Material {
  const { registry, repository, tag } = parseReference(reference);
  const name = registry === 'docker.io' ? repository.replace(/^library\//, '') : `${registry}/${repository}`;
  const version = tag === undefined ? '' : `@${tag}`;
  const uri = `pkg:docker/${name}${version}?platform=${encodeURIComponent(formatPlatform(platform))}`;
  return { uri, digest: digestSet(manifest.descriptor.digest) };
}

function digestSet(digest: Parameters<typeof hexOf>[0]): Readonly<Record<string, string>> {
  return { sha256: hexOf(digest) };
}
