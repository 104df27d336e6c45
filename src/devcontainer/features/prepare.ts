import { dirname } from 'node:path';
import type { RegistryAccess } from '../../builder/registry-access.ts';
import type { Digest } from '../../core/digest.ts';
import { AppError, type SourceRange, type Where } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import type { NamedContext } from '../../plan/inputs.ts';
import { located } from '../../plan/located.ts';
import { isMeant } from './compare.ts';
import { featuresConfiguration, metadataEntry } from './configuration.ts';
import { downloadTarball } from './download-tarball.ts';
import { extendDockerfile } from './extend-dockerfile.ts';
import { buildGraph, type GraphNode } from './graph.ts';
import { parseFeatureId, shownId } from './identifier.ts';
import { featureContext, usersContext } from './install-contexts.ts';
import { updateOldFeatures } from './legacy-ids.ts';
import { localFeature } from './local.ts';
import { type Lockfile, lockfileText, readLockfile, saveLockfile } from './lockfile.ts';
import { oddOptions } from './options.ts';
import { installOrder } from './order.ts';
import { registryFeature } from './registry-feature.ts';
import { tarballFeature } from './tarball.ts';
import type { ChosenFeature, Feature, FeatureId, FeaturesRequest, FeaturesResult } from './types.ts';

export interface FeaturesDeps {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly registries: Pick<RegistryAccess, 'open' | 'download'>;
}

/** Bytes; what is larger would not fit into memory well. */
const LARGEST_TARBALL = 256 * 1024 * 1024;

/** Contexts are named `dev-container-…`: the names show in steps and errors. */
const CONTEXT_PREFIX = 'dev-container';

/**
 * Finds the features of a devcontainer.json and all that they depend on, puts them in order, and adds a stage to the
 * Dockerfile that installs them. Of features in registries only manifests are read, where these say enough.
 * @throws AppError DEVCONTAINER for features that do not exist, are malformed, or depend on each other in a circle;
 * REGISTRY, AUTH, CORRUPT
 */
export async function prepareFeatures(request: FeaturesRequest, deps: FeaturesDeps): Promise<FeaturesResult> {
  const lockfile: Lockfile | undefined =
    request.lockfile === 'ignore' ? undefined : readLockfile(request.placedFile, request.roots);
  const features = updateOldFeatures(request.features, (id, instead) =>
    warn(deps.emit, `the feature "${id}" is deprecated and stands for ${instead}`, request.rangeOf(id)),
  );
  const { order, whereOf } = await orderedFeatures({ ...request, features }, lockfile, deps);
  for (const chosen of order) warnAbout(chosen, request, deps.emit);
  for (const written of unmet(order, request)) {
    const text = `overrideFeatureInstallOrder names "${shownId({ written })}", which is not installed`;
    warn(deps.emit, text, undefined);
  }
  if (lockfile && (request.lockfile === 'update' || request.lockfile === 'frozen'))
    saveLockfile(lockfile, lockfileText(order), request.lockfile);
  const placeOf = ({ id }: ChosenFeature): SourceRange | undefined => whereOf(id.written).range;
  const firstPlace = order.map(placeOf).find((range) => range !== undefined);
  const contexts = new Map<string, NamedContext>([
    [`${CONTEXT_PREFIX}-users`, usersContext(request, firstPlace)],
  ]);
  const installations = order.map((chosen, i) => {
    const { id, containerEnv } = chosen.feature.metadata;
    const context = [CONTEXT_PREFIX, 'feature', i + 1, contextPart(id)].filter(Boolean).join('-');
    contexts.set(context, featureContext(chosen, i, placeOf(chosen)));
    return { context, containerEnv: containerEnv ?? {} };
  });
  const extended = extendDockerfile({
    text: request.dockerfileText,
    file: request.dockerfile,
    ...(request.target === undefined ? {} : { target: request.target }),
    users: `${CONTEXT_PREFIX}-users`,
    features: installations,
    user: request.image.User || 'root',
  });
  return {
    dockerfileText: extended.text,
    target: extended.target,
    contexts,
    entries: order.map(metadataEntry),
    featuresConfiguration: featuresConfiguration(order),
  };
}

/** The features in the order of installation, and where the file asks for each, or for one that needs it. */
async function orderedFeatures(
  request: FeaturesRequest,
  lockfile: Lockfile | undefined,
  deps: FeaturesDeps,
): Promise<{ readonly order: GraphNode[]; readonly whereOf: (id: string) => Where }> {
  const { configFile, placedFile, rangeOf } = request;
  const origins = new Map<string, string>();
  const whereOf = (id: string): Where => {
    let at: string | undefined = id;
    while (at !== undefined && !Object.hasOwn(request.features, at)) at = origins.get(at);
    const range = at === undefined ? undefined : rangeOf(at);
    return range ? { range } : { path: configFile };
  };
  const note = (written: string, neededBy: string | undefined): void => {
    if (neededBy !== undefined && !Object.hasOwn(request.features, written) && !origins.has(written))
      origins.set(written, neededBy);
  };
  const fetched = new Map<string, Promise<Feature>>();
  const fetch = (id: FeatureId): Promise<Feature> => {
    const pin = lockfile?.pins.get(id.written);
    const known = fetched.get(id.written);
    const feature =
      known ?? located(whereOf(id.written), () => fetchFeature(id, pin, whereOf(id.written), request, deps));
    fetched.set(id.written, feature);
    return feature;
  };
  const nodes = await buildGraph(request.features, request.overrideInstallOrder, {
    parse: (written, neededBy) => {
      note(written, neededBy);
      return parseFeatureId(written, { configFile: placedFile, where: whereOf(written) });
    },
    fetch,
    namesOf: async (id) => {
      try {
        const { metadata } = await fetch(id);
        return [metadata.id, ...(metadata.legacyIds ?? [])];
      } catch (error) {
        if (error instanceof AppError && error.code !== 'ABORTED') return undefined;
        throw error;
      }
    },
  });
  return { order: installOrder(nodes, { path: configFile }), whereOf };
}

function fetchFeature(
  id: FeatureId,
  pin: Digest | undefined,
  where: Where,
  { placedFile, roots, githubToken }: FeaturesRequest,
  { registries, signal }: FeaturesDeps,
): Promise<Feature> {
  switch (id.type) {
    case 'local':
      return localFeature(id, { configFolder: dirname(placedFile), roots, where });
    case 'tarball':
      return tarballFeature(id, pin, {
        where,
        download: (one) =>
          downloadTarball(one, {
            ...(githubToken === undefined ? {} : { token: githubToken }),
            download: (url, headers) => registries.download(url, { limit: LARGEST_TARBALL, headers, signal }),
          }),
      });
    case 'oci':
      return registryFeature(id, pin, { registries, signal, where });
  }
}

/** The ids that mean nothing that is installed. */
function unmet(
  order: readonly GraphNode[],
  { overrideInstallOrder, configFile, placedFile }: FeaturesRequest,
): readonly string[] {
  return overrideInstallOrder.filter((written) => {
    const id = parseFeatureId(written, { configFile: placedFile, where: { path: configFile } });
    return !order.some((node) => isMeant(node, { id }));
  });
}

function warnAbout({ id, feature, options }: ChosenFeature, { rangeOf }: FeaturesRequest, emit: Emit): void {
  const { metadata } = feature;
  const range = rangeOf(id.written);
  const say = (text: string): void => warn(emit, `the feature "${shownId(id)}" ${text}`, range);
  if (id.type === 'tarball' && id.release)
    say('is taken from a release on GitHub, as before features were in registries');
  if (metadata.deprecated) say('is deprecated by its author');
  if (id.name !== metadata.id && metadata.legacyIds?.includes(id.name)) {
    say(`has been renamed to "${metadata.id}"`);
  }
  for (const text of oddOptions(metadata, options)) say(text);
}

function warn(emit: Emit, text: string, range: ReturnType<FeaturesRequest['rangeOf']>): void {
  emit({ type: 'warning', code: 'DEVCONTAINER', text, ...(range ? { range } : {}) });
}

/** A feature's id as part of the name of a context. */
function contextPart(id: string): string {
  return id
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
