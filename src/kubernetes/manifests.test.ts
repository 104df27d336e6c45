import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { EXIT_CODES } from '../core/error.ts';
import { manifests, manifestsYaml, PART_NAMES, PIPELINE_PARTS, USUAL_PARTS } from './manifests.ts';
import { ALL_SETTINGS, podsOf, SETTINGS } from './testing.ts';
import type { Job, Manifest, ManifestSettings } from './types.ts';

const settings = SETTINGS;
const variants: readonly (readonly Manifest[])[] = [
  settings,
  { ...settings, sharedVolume: true },
  { ...ALL_SETTINGS, registry: undefined, prebuilt: undefined } as unknown as ManifestSettings,
].map((each) => manifests(PART_NAMES, each));

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
      for (const { env } of spec.containers)
        for (const { valueFrom } of env ?? []) {
          if (valueFrom?.secretKeyRef) assert.ok(names.has(`Secret/${valueFrom.secretKeyRef.name}`));
          if (valueFrom?.configMapKeyRef) assert.ok(names.has(`ConfigMap/${valueFrom.configMapKeyRef.name}`));
        }
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

test('all pods but those that build meet the restricted standard, and those keep to the baseline', () => {
  const baseline = new Set(
    'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
      ' ',
    ),
  );
  for (const all of variants) {
    const pods = podsOf(all);
    assert.ok(pods.length >= 7);
    for (const { labels, spec } of pods) {
      assert.equal(spec.automountServiceAccountToken, false);
      assert.equal(spec.securityContext?.seccompProfile?.type, 'RuntimeDefault');
      assert.ok(!spec.hostNetwork && !spec.hostPID && spec.volumes?.every(({ hostPath }) => !hostPath));
      for (const { securityContext: context } of spec.containers) {
        assert.deepEqual(context?.capabilities?.drop, ['ALL']);
        for (const added of context?.capabilities?.add ?? []) assert.ok(baseline.has(added), added);
        const component = labels['app.kubernetes.io/component'] ?? '';
        if (['workspace', 'prebuild'].includes(component)) continue;
        assert.equal(spec.securityContext?.runAsNonRoot, true);
        assert.equal(context?.allowPrivilegeEscalation, false);
        assert.equal(context?.readOnlyRootFilesystem, true);
        assert.equal(context?.capabilities?.add, undefined);
      }
    }
  }
});

test('no probe takes a busy container for a dead one', () => {
  const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
  let seen = 0;
  for (const { spec } of podsOf(variants.flat()))
    for (const container of spec.containers)
      for (const name of PROBES) {
        const probe = container[name];
        if (probe === undefined) continue;
        seen += 1;
        // What the API fills in is 1 second and 3 failures.
        assert.ok((probe.timeoutSeconds ?? 1) >= 10, name);
        const patience = (probe.periodSeconds ?? 10) * (probe.failureThreshold ?? 3);
        if (name === 'livenessProbe') assert.ok(patience >= 120, name);
      }
  assert.ok(seen >= 4, `${seen} probes`);
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
        ingress?: { from?: { podSelector: { matchLabels: Record<string, string> } }[] }[];
      };
      assert.ok(finds(podSelector.matchLabels), String(object.metadata?.name));
      for (const { from = [] } of ingress ?? [])
        for (const each of from) assert.ok(finds(each.podSelector.matchLabels));
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
  assert.deepEqual(modes, [
    [['ReadWriteOnce'], ['ReadOnlyMany']],
    [['ReadWriteMany']],
    [['ReadWriteOnce'], ['ReadOnlyMany']],
  ]);
  // The copy is as the volume is when it is made, so it is not made with it.
  assert.ok(!USUAL_PARTS.includes('base-images-read'));
  for (const all of variants) {
    const [workspace] = podsOf(all).filter(({ owner }) => owner === 'Pod');
    const mount = workspace?.spec.containers[0]?.volumeMounts?.find(({ name }) => name === 'base-images');
    assert.equal(mount?.readOnly, true);
  }
});

test('where the warmer converts layers, whatever builds unpacks the copies', () => {
  for (const convert of [false, true]) {
    const pods = podsOf(manifests(PART_NAMES, { ...settings, convert })).flatMap(
      ({ spec }) => spec.containers,
    );
    const warming = pods.filter(({ args }) => args?.[0] === 'warm');
    assert.ok(warming.length >= 2);
    for (const { args } of warming) assert.equal(args!.includes('--convert'), convert);
    const reading = pods.filter(({ env }) =>
      env?.some(({ name }) => name === 'ENVBUILDER_BASE_IMAGE_CACHE_DIR'),
    );
    assert.ok(reading.length >= 2);
    for (const { env } of reading)
      assert.equal(
        env!.find(({ name }) => name === 'ENVBUILDER_BASE_IMAGE_CACHE_COPIES')?.value,
        convert ? 'true' : undefined,
      );
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

/** Where a pod gets each variable from that is not written down. */
function sourcesOf(component: string, all: readonly Manifest[]): readonly string[] {
  const pods = podsOf(all).filter(({ labels }) => labels['app.kubernetes.io/component'] === component);
  return pods.flatMap(({ spec }) =>
    spec.containers.flatMap(({ env = [] }) =>
      env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? valueFrom?.configMapKeyRef?.name ?? []),
    ),
  );
}

test('only prebuilds can push and sign, and no pod that builds mounts a Secret', () => {
  for (const all of variants) {
    const name = all[0]?.metadata?.name?.split('-')[0] ?? '';
    const has = (component: string, secret: string): boolean =>
      sourcesOf(component, all).includes(`${name}-${secret}`);
    for (const secret of ['registry-push', 'signing-key']) {
      assert.ok(has('prebuild', secret));
      for (const other of ['workspace', 'warmer', 'registry']) assert.ok(!has(other, secret), other);
    }
    assert.ok(has('workspace', 'registry-pull') && has('workspace', 'trusted-keys'));
    assert.ok(!has('prebuild', 'registry-pull'));
    for (const { labels, spec } of podsOf(all)) {
      if (labels['app.kubernetes.io/component'] === 'registry') continue;
      assert.ok(spec.volumes?.every(({ secret, projected }) => !secret && !projected));
    }
    const workspace = podsOf(all).find(({ owner }) => owner === 'Pod');
    const names = workspace?.spec.containers[0]?.env?.map((each) => each.name) ?? [];
    assert.ok(!names.includes('ENVBUILDER_CACHE_REPO') && !names.includes('ENVBUILDER_PUSH_IMAGE'));
  }
  const unsigned = manifests(PART_NAMES, { ...settings, signed: false });
  assert.doesNotMatch(manifestsYaml(unsigned), /SIGN_KEY|TRUSTED_KEYS|signing-key|trusted-keys/);
});

test('Secrets are printed only when asked for', () => {
  const usual = manifests(USUAL_PARTS, settings);
  assert.ok(usual.every(({ kind }) => kind !== 'Secret' && kind !== 'ConfigMap' && kind !== 'Job'));
});

test('two names share no object, and two workspaces of one name only what is not theirs', () => {
  const names = (more: Partial<ManifestSettings>): readonly string[] =>
    manifests(PART_NAMES, { ...settings, ...more }).map(({ kind, metadata }) => `${kind}/${metadata?.name}`);
  const first = names({});
  const other = new Set(names({ name: 'other' }));
  assert.deepEqual(
    first.filter((each) => other.has(each)),
    [],
  );
  const second = new Set(names({ workspaceName: 'second' }));
  assert.deepEqual(
    first.filter((each) => !second.has(each)),
    ['PersistentVolumeClaim/envbuilder-workspace', 'Pod/envbuilder-workspace'],
  );
});

test('what the cluster asks of pods is in all of them', () => {
  const all = manifests(PART_NAMES, ALL_SETTINGS);
  for (const { kind, metadata } of all) {
    assert.equal(metadata?.labels?.team, 'a', String(kind));
    assert.equal(metadata?.annotations?.owner, 'a: b', String(kind));
  }
  for (const { labels, annotations, spec } of podsOf(all)) {
    const component = labels['app.kubernetes.io/component'] ?? '';
    assert.equal(labels.team, 'a');
    assert.equal(annotations.owner, 'a: b');
    assert.equal(spec.serviceAccountName, 'builder');
    assert.equal(spec.nodeSelector?.pool, 'dev');
    assert.deepEqual(spec.imagePullSecrets, [{ name: 'pull' }]);
    assert.equal(spec.tolerations?.[0]?.key, 'builds');
    if (component !== 'registry-gc') assert.deepEqual(spec.affinity, { podAntiAffinity: {} });
    if (!['warmer', 'workspace', 'prebuild'].includes(component)) continue;
    const [container] = spec.containers;
    const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
    assert.equal(env.ENVBUILDER_INSECURE_REGISTRY, 'old.corp:5000');
    assert.equal(env.KANIKO_REGISTRY_MIRROR, 'mirror.corp');
    assert.equal(env.KANIKO_REGISTRY_MAP, 'ghcr.io=mirror.corp/ghcr');
    assert.equal(env.ENVBUILDER_SSL_CERT_FILE, '/ca/ca.crt');
    assert.ok(container?.volumeMounts?.some(({ mountPath }) => mountPath === '/ca'));
    if (component === 'warmer' || container?.name === 'index') continue;
    assert.deepEqual(container?.resources?.requests, { cpu: '2', memory: '512Mi' });
    assert.deepEqual(container?.resources?.limits, { memory: '4Gi', 'ephemeral-storage': '40Gi' });
  }
  assert.ok(all.every(({ kind }) => kind !== 'Deployment' && kind !== 'Service'));
  assert.equal(
    podsOf(all).find(({ owner }) => owner === 'Pod')?.spec.containers[0]?.image,
    ALL_SETTINGS.prebuilt,
  );
});

test('a prebuild is one Job for a repository, branch and commit, and for each architecture', () => {
  const jobs = (more: Partial<ManifestSettings>): readonly Job[] =>
    manifests(['prebuild'], { ...settings, ...more }) as readonly Job[];
  const name = (more: Partial<ManifestSettings>): string => jobs(more)[0]?.metadata?.name ?? '';
  const commit = 'a'.repeat(40);
  const keys: readonly Partial<ManifestSettings>[] = [
    {},
    { branch: 'main' },
    { branch: 'other' },
    { branch: 'main', commit },
    { branch: 'main', commit: 'b'.repeat(40) },
    { repository: 'https://git.example/b.git', branch: 'main' },
    { branch: 'main', registry: 'registry.corp/team-a' },
    { branch: 'main', registry: 'registry.corp/team-b' },
  ];
  assert.equal(new Set(keys.map(name)).size, keys.length);
  for (const key of keys) assert.equal(name(key), name({ ...key, limits: new Map([['cpu', '1']]) }));
  const [job] = jobs({ branch: 'main', commit });
  assert.equal(
    job?.spec?.template.spec?.containers[0]?.env?.[0]?.value,
    `https://git.example/a.git#${commit}`,
  );
  assert.equal(job?.spec?.suspend, undefined);
  assert.equal(jobs({ suspend: true })[0]?.spec?.suspend, true);
  const [queued] = jobs({ queue: 'builds' });
  assert.equal(queued?.spec?.suspend, true);
  assert.equal(queued?.metadata?.labels?.['kueue.x-k8s.io/queue-name'], 'builds');
  const both = jobs({ architectures: ['amd64', 'arm64'], nodeSelector: new Map([['pool', 'x']]) });
  assert.deepEqual(
    both.map(({ spec }) => spec?.template.spec?.nodeSelector),
    [
      { pool: 'x', 'kubernetes.io/arch': 'amd64' },
      { pool: 'x', 'kubernetes.io/arch': 'arm64' },
      { pool: 'x' },
    ],
  );
  const pushed = both.flatMap(({ spec }) => spec?.template.spec?.containers[0]?.env ?? []);
  const tags = pushed.filter((each) => each.name === 'ENVBUILDER_PUSH_TAG').map(({ value }) => `:${value}`);
  const args = both.at(-1)?.spec?.template.spec?.containers[0]?.args ?? [];
  assert.deepEqual(
    args.slice(-2).map((reference) => reference.replace('envbuilder-registry:5000/cache', '')),
    tags,
    'the index is of what the others push',
  );
  const suspended = jobs({ architectures: ['amd64', 'arm64'], queue: 'builds' });
  assert.deepEqual(
    suspended.map(({ spec }) => spec?.suspend),
    [true, true, undefined],
  );
  const long = { name: 'n'.repeat(24), architectures: ['amd64'] };
  for (const { metadata } of manifests(['prebuild', 'prebuild-watch'], { ...settings, ...long }))
    assert.ok((metadata?.name?.length ?? 0) <= 52, String(metadata?.name));
});

test('a build that would fail again is not tried again', () => {
  const [job] = manifests(['prebuild'], settings) as readonly Job[];
  const [final, pushedOut] = job?.spec?.podFailurePolicy?.rules ?? [];
  const values = final?.onExitCodes?.values ?? [];
  assert.deepEqual(
    values,
    [...new Set(values)].sort((a, b) => a - b),
    'the API wants them in order',
  );
  assert.equal(final?.action, 'FailJob');
  assert.equal(final?.onExitCodes?.containerName, job?.spec?.template.spec?.containers[0]?.name);
  assert.ok(values.includes(EXIT_CODES.BUILD_FAILED.exit) && values.includes(EXIT_CODES.DOCKERFILE.exit));
  for (const passing of ['REGISTRY', 'AUTH', 'WORKSPACE', 'PUSH_FAILED', 'DISK_FULL', 'ABORTED'] as const)
    assert.ok(!values.includes(EXIT_CODES[passing].exit), passing);
  assert.equal(pushedOut?.action, 'Ignore');
  assert.equal(job?.spec?.template.spec?.restartPolicy, 'Never');
});

test('a Job that does something else has another name', () => {
  const name = (more: Partial<ManifestSettings>): string | undefined =>
    manifests(['warm-now'], { ...settings, ...more })[0]?.metadata?.name;
  assert.equal(name({}), name({ registrySize: '9Gi' }));
  for (const more of [{ images: ['c:1'] }, { runtimeImage: 'x:2' }, { labels: new Map([['a', 'b']]) }])
    assert.notEqual(name({}), name(more));
});

test('nothing is written that the API would leave out or fill in', () => {
  for (const all of variants) {
    const empty: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (Array.isArray(value) && value.length === 0) empty.push(path);
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
    };
    for (const object of all) walk(object, `${object.kind}/${object.metadata?.name}`);
    assert.deepEqual(empty, []);
    for (const object of all) {
      const ports = JSON.stringify(object).match(/\{[^{}]*"(?:port|containerPort)":[^{}]*\}/g) ?? [];
      // That of an EventSource has none.
      const known = object.kind === 'EventSource' ? [] : ports;
      for (const port of known) if (!port.includes('"path"')) assert.match(port, /"protocol":/);
    }
  }
});

/** Every Job that an object of a pipeline has in it as text. */
function jobsWithin(all: readonly Manifest[]): readonly Job[] {
  const texts = all.flatMap((object) =>
    object.kind === 'WorkflowTemplate'
      ? object.spec.templates.flatMap(({ resource }) => resource?.manifest ?? [])
      : object.kind === 'Pipeline'
        ? object.spec.tasks.flatMap(
            ({ params }) => params.find(({ name }) => name === 'manifest')?.value ?? [],
          )
        : [],
  );
  return texts.map((text) => parse(text) as Job);
}

test('pipelines make the Jobs of a prebuild, in their order', () => {
  for (const part of ['prebuild-argo', 'prebuild-tekton'] as const)
    for (const one of [settings, ALL_SETTINGS, { ...settings, architectures: ['amd64', 'arm64'] }]) {
      const jobs = jobsWithin(manifests([part], one));
      const plain = manifests(['prebuild'], one) as readonly Job[];
      const pods = (some: readonly Job[]): unknown =>
        some.map(({ spec }) => {
          const { env: _, args: __, ...container } = spec?.template.spec?.containers[0] ?? { name: '' };
          return [spec?.suspend, { ...spec?.template.spec, containers: [container] }];
        });
      assert.deepEqual(pods(jobs), pods(plain));
      const names = jobs.map(({ metadata }) => metadata?.name);
      assert.equal(new Set(names).size, names.length);
    }
});

test('nobody but the operator says what a pipeline builds: a push gives it a commit alone', () => {
  for (const branch of ['main', 'a.b', "it's", 'x"y']) {
    const all = manifests(PIPELINE_PARTS, { ...settings, branch });
    const [sensor] = all.filter((object) => object.kind === 'Sensor');
    const [listener] = all.filter((object) => object.kind === 'EventListener');
    const filters = sensor?.spec.dependencies[0]?.filters.data ?? [];
    const passes = (body: Readonly<Record<string, string>>): boolean =>
      filters.every(({ path, comparator, value }) => {
        const found = new RegExp(value[0] ?? '').test(body[path.replace('body.', '')] ?? '');
        return comparator === '!=' ? !found : found;
      });
    const after = 'a'.repeat(40);
    assert.ok(passes({ ref: `refs/heads/${branch}`, after }), branch);
    assert.ok(!passes({ ref: `refs/heads/${branch}x`, after }));
    assert.ok(!passes({ ref: `refs/tags/${branch}`, after }));
    assert.ok(!passes({ ref: 'refs/heads/aXb', after }));
    assert.ok(!passes({ ref: `refs/heads/${branch}`, after: '0'.repeat(40) }), 'it is deleted');
    assert.ok(!passes({ ref: `refs/heads/${branch}`, after: `${after}\n` }));
    assert.ok(!passes({ ref: `refs/heads/${branch}`, after: 'main' }));
    const filter = String(listener?.spec.triggers[0]?.interceptors[1]?.params[0]?.value);
    assert.ok(filter.startsWith(`body.ref == ${JSON.stringify(`refs/heads/${branch}`)} && `), filter);
  }
});
