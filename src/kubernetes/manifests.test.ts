import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { manifests, manifestsYaml, PART_NAMES } from './manifests.ts';
import type { Manifest, ManifestSettings, PodSpec } from './types.ts';

const settings: ManifestSettings = {
  namespace: 'dev',
  runtimeImage: 'registry.example/envbuilder:1',
  images: ['a:1', 'b:2'],
  schedule: '0 0 * * *',
  sharedVolume: false,
  baseImagesSize: '1Gi',
  registrySize: '2Gi',
  workspaceSize: '3Gi',
  repository: 'https://git.example/a.git',
};
const variants: readonly (readonly Manifest[])[] = [false, true].map((sharedVolume) =>
  manifests(PART_NAMES, { ...settings, sharedVolume }),
);

function podsOf(
  all: readonly Manifest[],
): { owner: string; labels: Record<string, string>; spec: PodSpec }[] {
  return all.flatMap((object) => {
    const template =
      object.kind === 'CronJob'
        ? object.spec?.jobTemplate.spec?.template
        : object.kind === 'Job' || object.kind === 'Deployment'
          ? (object.spec as { template?: { metadata?: object; spec?: PodSpec } }).template
          : object.kind === 'Pod'
            ? object
            : undefined;
    const spec = template?.spec as PodSpec | undefined;
    const labels = (template?.metadata as { labels?: Record<string, string> } | undefined)?.labels ?? {};
    return spec === undefined ? [] : [{ owner: `${object.kind}`, labels, spec }];
  });
}

test('every object has the namespace, and a name that no other of its kind has', () => {
  for (const all of variants) {
    assert.ok(all.every(({ metadata }) => metadata?.namespace === 'dev'));
    const names = all.map(({ kind, metadata }) => `${kind}/${metadata?.name}`);
    assert.equal(new Set(names).size, names.length);
  }
});

test('claims and secrets that pods name are among the objects', () => {
  for (const all of variants) {
    const names = new Set(all.map(({ kind, metadata }) => `${kind}/${metadata?.name}`));
    for (const { spec } of podsOf(all)) {
      for (const { persistentVolumeClaim, secret } of spec.volumes ?? []) {
        if (persistentVolumeClaim)
          assert.ok(names.has(`PersistentVolumeClaim/${persistentVolumeClaim.claimName}`));
        if (secret) assert.ok(names.has(`Secret/${secret.secretName}`));
      }
      const volumes = new Set(spec.volumes?.map(({ name }) => name));
      for (const { name } of spec.containers.flatMap(({ volumeMounts }) => volumeMounts ?? []))
        assert.ok(volumes.has(name));
    }
  }
});

test('all pods but the workspace meet the restricted standard, and that one keeps to the baseline', () => {
  const baseline = new Set(
    'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
      ' ',
    ),
  );
  for (const all of variants) {
    const pods = podsOf(all);
    assert.equal(pods.length, 4);
    for (const { owner, spec } of pods) {
      assert.equal(spec.automountServiceAccountToken, false);
      assert.equal(spec.securityContext?.seccompProfile?.type, 'RuntimeDefault');
      assert.ok(!spec.hostNetwork && !spec.hostPID && spec.volumes?.every(({ hostPath }) => !hostPath));
      for (const { securityContext: context } of spec.containers) {
        assert.deepEqual(context?.capabilities?.drop, ['ALL']);
        for (const added of context?.capabilities?.add ?? []) assert.ok(baseline.has(added), added);
        if (owner === 'Pod') continue;
        assert.equal(spec.securityContext?.runAsNonRoot, true);
        assert.equal(context?.allowPrivilegeEscalation, false);
        assert.equal(context?.readOnlyRootFilesystem, true);
        assert.equal(context?.capabilities?.add, undefined);
      }
    }
  }
});

test('selectors find the pods that they are meant for', () => {
  for (const all of variants) {
    const pods = podsOf(all).map(({ labels }) => labels);
    const finds = (selector: Readonly<Record<string, string>> | undefined): boolean =>
      selector !== undefined &&
      pods.some((labels) => Object.entries(selector).every(([name, value]) => labels[name] === value));
    for (const object of all) {
      if (object.kind === 'Service')
        assert.ok(finds((object.spec as { selector?: Record<string, string> }).selector));
      if (object.kind !== 'NetworkPolicy') continue;
      const { podSelector, ingress } = object.spec as unknown as {
        podSelector: { matchLabels: Record<string, string> };
        ingress: { from: { podSelector: { matchLabels: Record<string, string> } }[] }[];
      };
      assert.ok(finds(podSelector.matchLabels));
      for (const { from } of ingress) for (const each of from) assert.ok(finds(each.podSelector.matchLabels));
    }
  }
});

test('base images are filled by one and read by many', () => {
  const modes = variants.map((all) =>
    all.flatMap((object) =>
      object.kind === 'PersistentVolumeClaim' && object.metadata?.name?.includes('base-images')
        ? [(object.spec as { accessModes: string[] }).accessModes]
        : [],
    ),
  );
  assert.deepEqual(modes, [[['ReadWriteOnce'], ['ReadOnlyMany']], [['ReadWriteMany']]]);
  for (const all of variants) {
    const [workspace] = podsOf(all).filter(({ owner }) => owner === 'Pod');
    const mount = workspace?.spec.containers[0]?.volumeMounts?.find(({ name }) => name === 'base-images');
    assert.equal(mount?.readOnly, true);
  }
});

test('the YAML says what the objects say', () => {
  for (const all of variants) {
    const read = parseAllDocuments(manifestsYaml(all)) as { toJS(): unknown }[];
    assert.deepEqual(
      read.map((document) => document.toJS()),
      JSON.parse(JSON.stringify(all)),
    );
  }
});
