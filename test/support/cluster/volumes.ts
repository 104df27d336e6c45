import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../scripts/lib/shell.ts';
import type { PersistentVolumeClaim } from '../../../src/kubernetes/types.ts';
import type { Api } from './api.ts';
import { NODE_NAME } from './configuration.ts';

const CLASS = 'copies';

/**
 * Plays the provisioner of a storage class that can clone: a directory for each claim, at once, which belongs to root; a
 * clone is a copy of what its source holds at that moment.
 * @param directory for all of them
 */
export async function provideVolumes(api: Api, directory: string): Promise<never> {
  await api.create('/apis/storage.k8s.io/v1/storageclasses', {
    metadata: { name: CLASS, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'envbuilder.test/copies',
    volumeBindingMode: 'Immediate',
  });
  /** The directories of claims, by namespace and name. */
  const directories = new Map<string, string>();
  return api.watch<PersistentVolumeClaim>('/api/v1/persistentvolumeclaims', async (type, claim) => {
    const { uid = '', namespace, name } = claim.metadata ?? {};
    const { dataSource } = claim.spec ?? {};
    const path = join(directory, uid);
    const key = `${namespace}/${name}`;
    if (type === 'DELETED') directories.delete(key);
    else if (directories.get(key) !== path) {
      const source = directories.get(`${namespace}/${dataSource?.name}`);
      // It stays unbound.
      if (dataSource !== undefined && source === undefined) return;
      directories.set(key, path);
      if (source === undefined) await mkdir(path);
      else await run('cp', ['-a', source, path]);
      await api.create('/api/v1/persistentvolumes', volumeFor(claim, path));
    }
  });
}

function volumeFor({ metadata, spec }: PersistentVolumeClaim, path: string) {
  const term = { key: 'kubernetes.io/hostname', operator: 'In', values: [NODE_NAME] };
  return {
    metadata: { name: `pvc-${metadata?.uid}` },
    spec: {
      capacity: { storage: spec?.resources?.requests?.storage },
      accessModes: spec?.accessModes,
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: spec?.storageClassName,
      // Other than a path of the host, a local volume gets the group that its pod asks for.
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [term] }] } },
      claimRef: { namespace: metadata?.namespace, name: metadata?.name, uid: metadata?.uid },
    },
  };
}
