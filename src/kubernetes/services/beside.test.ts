import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KeyRow } from '../../devcontainer/compose/key-row.ts';
import { UP_KEYS } from '../../up/services/compose-keys.ts';
import { manifestsYaml } from '../manifests.ts';
import { SETTINGS } from '../testing.ts';
import type { Container } from '../types.ts';
import { workspace } from '../workspace.ts';
import { type Beside, servicesBeside } from './beside.ts';
import { COMPOSE_KEYS } from './compose-keys.ts';
import { withServices } from './testing.ts';

/** What stands beside a dev container with one service `s` of these keys. */
function beside(
  service: object,
  more: object = {},
  files: Readonly<Record<string, string>> = {},
): Promise<Beside> {
  const compose = { services: { app: { image: 'dev' }, s: { image: 'i', ...service } }, ...more };
  return withServices(JSON.stringify(compose), (services) => servicesBeside(SETTINGS, services), { files });
}

test('every key of the specification has one line, for pods and for up', () => {
  const keys = (rows: readonly KeyRow[]): readonly string[] => rows.flatMap((row) => row.keys).sort();
  assert.deepEqual(keys(UP_KEYS), keys(COMPOSE_KEYS));
});

/** What a service says, and what its container has of it; `notes` are beginnings of what is said. */
interface Row {
  readonly service: object;
  readonly more?: object;
  readonly has?: Partial<Container>;
  readonly volumes?: readonly object[];
  readonly kinds?: readonly string[];
  readonly notes?: readonly string[];
}

const ROWS: Readonly<Record<string, Row>> = {
  'an image alone': { service: {}, has: { image: 'i', restartPolicy: 'Always', name: 's' } },
  'commands, with what Kubernetes would expand': {
    service: { entrypoint: '/e "a b"', command: ['x', '$$(HOME)', '$$x'], working_dir: '/d', tty: true },
    has: { command: ['/e', 'a b'], args: ['x', '$$(HOME)', '$x'], workingDir: '/d', tty: true },
  },
  'commands that are taken away': {
    service: { entrypoint: '', command: [] },
    has: {},
    notes: ['entrypoint: nothing (service s)', 'command: nothing (service s)'],
  },
  'an entrypoint alone takes the command of the image away in both': {
    service: { entrypoint: ['/e'], command: [] },
    has: { command: ['/e'] },
  },
  variables: {
    service: { environment: { A: 'a', FROM_ENV: null, UNSET: null, 'b ad': 'x', D: '$$$$' } },
    has: {
      env: [
        { name: 'A', value: 'a' },
        { name: 'FROM_ENV', value: 'env' },
        { name: 'D', value: '$$$$' },
      ],
    },
    notes: ['environment: b ad (service s)'],
  },
  'a user by numbers': {
    service: { user: '1:2' },
    has: { securityContext: { runAsUser: 1, runAsGroup: 2 } },
  },
  'root by name': { service: { user: 'root' }, has: { securityContext: { runAsUser: 0 } } },
  'a user by name': { service: { user: 'node' }, notes: ['user: node (service s)'] },
  rights: {
    service: {
      read_only: true,
      cap_add: ['CAP_CHOWN', 'sys_admin'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true', 'seccomp:unconfined'],
      privileged: true,
      devices: ['/dev/fuse'],
    },
    has: {
      securityContext: {
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { add: ['CHOWN'], drop: ['ALL'] },
      },
    },
    notes: ['privileged', 'devices', 'cap_add: SYS_ADMIN', 'security_opt: seccomp:unconfined'],
  },
  ports: {
    service: { ports: ['80:8080', '53:53/udp', '8080'], expose: ['9000', 8080] },
    has: {
      ports: [
        { containerPort: 8080, protocol: 'TCP' },
        { containerPort: 53, protocol: 'UDP' },
        { containerPort: 9000, protocol: 'TCP' },
      ],
    },
  },
  resources: {
    service: { mem_limit: '512m', cpus: 0.25, mem_reservation: 1000, deploy: { replicas: 2 } },
    has: { resources: { requests: { memory: '1000' }, limits: { cpu: '250m', memory: '512Mi' } } },
    notes: ['deploy.replicas: 2'],
  },
  'a health check that nobody waits for': {
    service: { healthcheck: { test: 'ask "$$HOST"', interval: '1m30s', timeout: '500ms', retries: 2 } },
    has: {
      readinessProbe: {
        exec: { command: ['/bin/sh', '-c', 'ask "$HOST"'] },
        timeoutSeconds: 1,
        periodSeconds: 90,
        failureThreshold: 2,
      },
    },
  },
  'no health check': { service: { healthcheck: { test: ['NONE'] } }, has: {} },
  volumes: {
    service: {
      volumes: [
        'data:/data',
        'data:/again:ro',
        'there:/there',
        '/anonymous',
        '../db/init.sql:/init.sql:ro',
        '/var/run/docker.sock:/var/run/docker.sock',
        { type: 'tmpfs', target: '/t' },
        { type: 'npipe', source: 'p', target: '/p' },
        'mem:/mem',
        'data:/data',
      ],
      tmpfs: ['/run:size=64m,mode=1777'],
      shm_size: '1g',
    },
    more: {
      volumes: {
        data: null,
        there: { external: true, name: 'claim-of-mine' },
        mem: { driver_opts: { type: 'tmpfs', o: 'size=1m' } },
      },
    },
    has: {
      volumeMounts: [
        { name: 'volume-data', mountPath: '/data', subPath: 'data' },
        { name: 'volume-data', mountPath: '/again', subPath: 'data', readOnly: true },
        { name: 'volume-there', mountPath: '/there' },
        { name: 's-anonymous-x', mountPath: '/anonymous' },
        { name: 'workspaces', mountPath: '/init.sql', subPath: 'checkout/db/init.sql', readOnly: true },
        { name: 's-t-x', mountPath: '/t' },
        { name: 'volume-mem', mountPath: '/mem' },
        { name: 's-run-x', mountPath: '/run' },
        { name: 's-dev-shm-x', mountPath: '/dev/shm' },
      ],
    },
    kinds: ['PersistentVolumeClaim/envbuilder-workspace-data'],
    notes: ['volumes: /var/run/docker.sock:/var/run/docker.sock', 'volumes: p:/p'],
  },
  'secrets and configs': {
    service: {
      secrets: ['pw', { source: 'mine', target: '/etc/key', mode: '0400' }],
      configs: [{ source: 'conf', target: '/etc/conf' }],
    },
    more: {
      secrets: { pw: { file: '../pw.txt' }, mine: { external: true, name: 'of-mine' } },
      configs: { conf: { content: 'a=1' } },
    },
    has: {
      volumeMounts: [
        { name: 'secret-pw', mountPath: '/run/secrets/pw', subPath: 'value', readOnly: true },
        { name: 'secret-mine', mountPath: '/etc/key', subPath: 'value', readOnly: true },
        { name: 'config-conf', mountPath: '/etc/conf', subPath: 'value', readOnly: true },
      ],
    },
    volumes: [
      { name: 'secret-pw', secret: { secretName: 'envbuilder-workspace-pw' } },
      { name: 'secret-mine', secret: { secretName: 'of-mine', defaultMode: 0o400 } },
      { name: 'config-conf', configMap: { name: 'envbuilder-workspace-conf' } },
    ],
    kinds: ['ConfigMap/envbuilder-workspace-conf'],
    notes: ['the secret pw is in no manifest', 'the secret mine is in no manifest'],
  },
  'what a pod cannot hold': {
    service: {
      network_mode: 'host',
      restart: 'no',
      scale: 3,
      init: true,
      ulimits: { nofile: 1 },
      dns: ['1.1.1.1'],
      new_key: 1,
      'x-own': 1,
      labels: ['a=b'],
      extra_hosts: ['gate:host-gateway', 'else:10.1.1.1'],
    },
    notes: [
      'init',
      'ulimits',
      'dns',
      'new_key',
      'network_mode: host',
      'restart: no',
      'scale: 3',
      'extra_hosts: gate:host-gateway',
    ],
  },
};

for (const [name, { service, more, has, volumes, kinds = [], notes = [] }] of Object.entries(ROWS))
  test(`in a pod: ${name}`, async () => {
    const found = await beside(service, more);
    const [container] = found.initContainers;
    assert.ok(container);
    if (has !== undefined) {
      const { name: _, image: _i, restartPolicy: _r, terminationMessagePolicy: _t, ...own } = container;
      const { name: __, image: __i, restartPolicy: __r, ...wanted } = has;
      // The ends of made names are digests of the whole ones.
      const plain = JSON.parse(JSON.stringify(own).replace(/("s-[\w-]+?)-[0-9a-f]{8}"/g, '$1-x"')) as object;
      assert.deepEqual(
        plain,
        JSON.parse(JSON.stringify(wanted).replace(/("s-[\w-]+?)-[0-9a-f]{8}"/g, '$1-x"')),
      );
    }
    if (volumes !== undefined) assert.deepEqual(found.volumes, volumes);
    assert.deepEqual(
      found.objects.map(({ kind, metadata }) => `${kind}/${metadata?.name}`),
      kinds,
    );
    for (const note of notes)
      assert.ok(
        found.notes.some((text) => text.startsWith(note)),
        `${note}: ${found.notes.join('\n')}`,
      );
    assert.equal(found.notes.length, notes.length, found.notes.join('\n'));
  });

const PROJECT = `
services:
  app:
    image: dev
    command: sleep infinity
    depends_on: { db: { condition: service_healthy }, cache: { condition: service_started }, setup: { condition: service_completed_successfully } }
    volumes: ["..:/w:cached", "home:/home/dev", "modules:/workspaces/checkout/node_modules"]
    ports: ["3000:3000"]
  db:
    image: db
    environment: { PASSWORD: "\${FROM_ENV}" }
    healthcheck: { test: [CMD, ready, "-h", "localhost:5432"], interval: 30s, timeout: "3s", retries: 4, start_period: 20m }
    volumes: ["data:/data", "./db:/setup:ro"]
    stop_grace_period: 1m
  cache: { image: cache, ports: ["6379"], hostname: redis_1 }
  setup: { image: setup, depends_on: { db: { condition: service_healthy }, cache: { condition: service_healthy } } }
  proxy: { image: proxy, links: ["app:backend"], healthcheck: { test: "true" } }
  other: { image: other, profiles: [other] }
volumes: { data: , home: , modules: }
`;

test('services start in order, wait as they say, and know each other by name', async () => {
  const found = await withServices(PROJECT, (services) => servicesBeside(SETTINGS, services));
  assert.deepEqual(
    found.initContainers.map(({ name, restartPolicy }) => [name, restartPolicy]),
    [
      ['db', 'Always'],
      ['cache', 'Always'],
      ['setup', undefined],
      ['proxy', 'Always'],
    ],
  );
  const [db, , setup, proxy] = found.initContainers;
  assert.deepEqual(db?.startupProbe, {
    exec: { command: ['ready', '-h', 'localhost:5432'] },
    timeoutSeconds: 3,
    periodSeconds: 5,
    failureThreshold: (20 * 60 + 4 * 30) / 5,
  });
  assert.equal(db?.readinessProbe?.periodSeconds, 30);
  assert.ok(!setup?.startupProbe && !setup?.readinessProbe, 'what ends has no probes');
  assert.ok(!proxy?.startupProbe && proxy?.readinessProbe, 'nobody waits for it');
  assert.deepEqual(found.hostAliases, [
    { ip: '127.0.0.1', hostnames: ['db', 'cache', 'setup', 'app', 'proxy', 'backend'] },
  ]);
  assert.equal(found.gracePeriod, 60);
  assert.ok(found.wantsClone);
  assert.deepEqual(found.own, {
    volumeMounts: [{ name: 'volume-home', mountPath: '/home/dev', subPath: 'data' }],
    ports: [{ containerPort: 3000, protocol: 'TCP' }],
  });
  assert.deepEqual(
    found.notes.map((text) => text.slice(0, text.indexOf(')') + 1)),
    [
      'depends_on: cache is healthy (service setup)',
      'the name redis_1 (service cache)',
      'depends_on: app (service proxy)',
      'volumes: modules:/workspaces/checkout/node_modules (service app)',
    ].sort(
      (a, b) =>
        found.notes.findIndex((text) => text.startsWith(a)) -
        found.notes.findIndex((text) => text.startsWith(b)),
    ),
  );
});

test('two services that want one port are named', async () => {
  const cases: readonly (readonly [object, object, RegExp | undefined])[] = [
    [{ ports: ['1:80'] }, { expose: [80] }, /conflict: .* port 80\/TCP/],
    [{ ports: ['80:80'] }, { ports: ['80:81'] }, undefined],
    [{ ports: ['80/udp'] }, { ports: ['80'] }, undefined],
    [{ expose: [90] }, { healthcheck: { test: 'curl http://127.0.0.1:90/x' } }, /port 90\/TCP/],
  ];
  for (const [one, other, pattern] of cases) {
    const compose = { services: { app: { image: 'a', ...one }, s: { image: 'b', ...other } } };
    const { notes } = await withServices(JSON.stringify(compose), (services) =>
      servicesBeside(SETTINGS, services),
    );
    if (pattern === undefined) assert.deepEqual(notes, []);
    else assert.match(notes.join('\n'), pattern);
  }
});

test('a service that is built needs an image of its own', async () => {
  const compose = 'services:\n  app: { build: . }\n  s:\n    build: .\n';
  const files = { '.devcontainer/Dockerfile': 'FROM x\n' };
  await assert.rejects(
    withServices(compose, (services) => servicesBeside(SETTINGS, services), { files }),
    (error: { code: string; hint: string; where: { range: { start: { line: number } } } }) => {
      assert.equal(error.code, 'DEVCONTAINER');
      assert.match(error.hint, /--service-image s=REFERENCE/);
      assert.equal(error.where.range.start.line, 4);
      return true;
    },
  );
  const found = await withServices(compose, (services) => servicesBeside(SETTINGS, services), {
    files,
    images: { s: 'registry.example/s:1' },
  });
  assert.equal(found.initContainers[0]?.image, 'registry.example/s:1');
});

test('containers have names that no other has', async () => {
  const names = ['clone', 'workspace', 'a_b', 'a-b', 'A-B', 'x'.repeat(90)];
  const services = Object.fromEntries(['app', ...names].map((name) => [name, { image: 'i' }]));
  const found = await withServices(JSON.stringify({ services }), (read) => servicesBeside(SETTINGS, read));
  const made = found.initContainers.map(({ name }) => name);
  assert.equal(new Set([...made, 'clone', 'workspace']).size, names.length + 2);
  for (const name of made) assert.match(name, /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
});

test('runServices chooses', async () => {
  const found = await withServices(PROJECT, (services) => servicesBeside(SETTINGS, services), {
    runServices: ['cache'],
  });
  // What the dev container waits for is there as well.
  assert.deepEqual(
    found.initContainers.map(({ name }) => name),
    ['cache', 'db', 'setup'],
  );
});

test('the same project always gives the same pod', async () => {
  const file = join(import.meta.dirname, 'testdata/pod.yaml');
  const yaml = await withServices(PROJECT, (services) => manifestsYaml(workspace({ ...SETTINGS, services })));
  if (process.env.ENVBUILDER_UPDATE_GOLDEN) writeFileSync(file, yaml);
  assert.equal(yaml, readFileSync(file, 'utf8'));
});

test('every key is in the table once', () => {
  const keys = COMPOSE_KEYS.flatMap((row) => row.keys);
  assert.deepEqual(
    keys.filter((key, i) => keys.indexOf(key) !== i),
    [],
  );
});
