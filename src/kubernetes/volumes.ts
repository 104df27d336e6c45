import { type Component, metadata, namesOf } from './common.ts';
import type { ManifestSettings, PersistentVolumeClaim } from './types.ts';

/** The volume that the warmer fills; workspaces mount it too where it can be shared. */
export function baseImages(settings: ManifestSettings): readonly PersistentVolumeClaim[] {
  const mode = settings.sharedVolume ? 'ReadWriteMany' : 'ReadWriteOnce';
  return [claim(namesOf(settings).baseImages, 'base-images', mode, settings.baseImagesSize, settings)];
}

/** A read-only copy of it that any number of nodes can mount, as it is when the claim is made. */
export function baseImagesRead(settings: ManifestSettings): readonly PersistentVolumeClaim[] {
  if (settings.sharedVolume) return [];
  const { baseImages, baseImagesRead: own } = namesOf(settings);
  const copy = claim(own, 'base-images', 'ReadOnlyMany', settings.baseImagesSize, settings);
  return [
    { ...copy, spec: { ...copy.spec, dataSource: { kind: 'PersistentVolumeClaim', name: baseImages } } },
  ];
}

/** The claim that builds read base images from. */
export function readableBaseImages(settings: ManifestSettings): string {
  const names = namesOf(settings);
  return settings.sharedVolume ? names.baseImages : names.baseImagesRead;
}

/** A claim of one volume. */
export function claim(
  name: string,
  component: Component,
  mode: 'ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany',
  size: string,
  settings: ManifestSettings,
): PersistentVolumeClaim {
  const { storageClass } = settings;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata(name, component, settings),
    spec: {
      accessModes: [mode],
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      resources: { requests: { storage: size } },
    },
  };
}
