import { pick } from '../../core/given.ts';
import type { MetadataEntry } from '../types.ts';
import { releaseApi, releaseUrl, resourceOf, shownId } from './identifier.ts';
import type { ChosenFeature, FeatureMetadata } from './types.ts';

/** What a feature adds to the metadata of an image (Dev Container Specification, "Image Metadata"). */
const IN_METADATA = [
  'onCreateCommand',
  'updateContentCommand',
  'postCreateCommand',
  'postStartCommand',
  'postAttachCommand',
  'init',
  'privileged',
  'capAdd',
  'securityOpt',
  'entrypoint',
  'mounts',
  'customizations',
] as const satisfies readonly (keyof FeatureMetadata & keyof MetadataEntry)[];

/** The entry of a feature in the image's metadata; hooks come with the id as it stands in devcontainer.json. */
export function metadataEntry({ id, feature: { metadata } }: ChosenFeature): MetadataEntry {
  return { id: shownId(id), ...pick(metadata, IN_METADATA) };
}

/** Installed features as the reference implementation prints them. */
export function featuresConfiguration(order: readonly ChosenFeature[]): unknown {
  return {
    featureSets: order.map(({ id, feature, options }, i) => ({
      sourceInformation: sourceInformation(id, feature),
      features: [
        {
          ...feature.metadata,
          included: true,
          value: options,
          consecutiveId: `${feature.metadata.id}_${i}`,
        },
      ],
      internalVersion: '2',
      ...(feature.digest === undefined ? {} : { computedDigest: feature.digest }),
    })),
  };
}

function sourceInformation(id: ChosenFeature['id'], feature: ChosenFeature['feature']): unknown {
  const userFeatureId = id.written;
  switch (id.type) {
    case 'local':
      return { type: 'file-path', resolvedFilePath: id.path, userFeatureId };
    case 'tarball':
      if (id.release) {
        const { owner, repository, tag } = id.release;
        return {
          type: 'github-repo',
          apiUri: releaseApi(id.release),
          unauthenticatedUri: releaseUrl(id.release),
          owner,
          repo: repository,
          ...(tag === undefined ? {} : { tag }),
          isLatest: tag === undefined,
          userFeatureId,
          userFeatureIdWithoutVersion: userFeatureId.split('@')[0],
        };
      }
      return { type: 'direct-tarball', tarballUri: id.url, userFeatureId };
    case 'oci':
      return {
        type: 'oci',
        manifest: feature.manifest,
        manifestDigest: feature.digest,
        featureRef: {
          id: id.name,
          owner: id.namespace.split('/')[0],
          namespace: id.namespace,
          registry: id.registry,
          resource: resourceOf(id),
          path: `${id.namespace}/${id.name}`,
          version: id.digest ?? id.tag,
          ...(id.tag === undefined ? {} : { tag: id.tag }),
          ...(id.digest === undefined ? {} : { digest: id.digest }),
        },
        userFeatureId,
        userFeatureIdWithoutVersion: userFeatureId.replace(/[:@][^/]*$/, ''),
      };
  }
}
