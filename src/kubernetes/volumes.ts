import { type Component, metadata, NAMES } from './common.ts';
import type { ManifestSettings, PersistentVolumeClaim } from './types.ts';

/** The volumes of base images: one to fill, and a read-only copy that any number of nodes can mount. */
export function baseImageClaims(settings: ManifestSettings): readonly PersistentVolumeClaim[] {
  const size = settings.baseImagesSize;
  if (settings.sharedVolume) return [claim(NAMES.baseImages, 'base-images', 'ReadWriteMany', size, settings)];
  const copy = claim(NAMES.baseImagesRead, 'base-images', 'ReadOnlyMany', size, settings);
  return [
    claim(NAMES.baseImages, 'base-images', 'ReadWriteOnce', size, settings),
    {
      ...copy,
      spec: { ...copy.spec, dataSource: { kind: 'PersistentVolumeClaim', name: NAMES.baseImages } },
    },
  ];
}

/** The claim that builds read base images from. */
export function readableBaseImages({ sharedVolume }: ManifestSettings): string {
  return sharedVolume ? NAMES.baseImages : NAMES.baseImagesRead;
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
