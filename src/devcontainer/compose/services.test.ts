import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withWorkspace } from '../testing.ts';
import { type ComposeProject, composeProject, type ServicesRequest } from './services.ts';

/** The project of a Compose file whose dev container is the service app. */
function read(compose: string, more: Partial<ServicesRequest> = {}): Promise<ComposeProject> {
  return withWorkspace({ '.devcontainer/compose.yml': compose }, (folder) =>
    composeProject({
      files: [`${folder}/.devcontainer/compose.yml`],
      service: 'app',
      env: {},
      roots: [folder],
      by: 'definition',
      where: {},
      serviceWhere: {},
      ...more,
    }),
  );
}

const names = ({ services }: ComposeProject): readonly string[] => services.map(({ name }) => name);

const PROJECT = `
services:
  app: { image: a, depends_on: { db: { condition: service_healthy }, debug: { condition: service_started, required: false } } }
  db: { image: b, depends_on: [volumes], healthcheck: { test: "true" } }
  volumes: { image: c }
  web: { image: d, links: ["app:backend"] }
  side: { image: e, network_mode: "service:web" }
  debug: { image: f, profiles: [debug], depends_on: [tools] }
  tools: { image: g, profiles: [tools] }
`;

test('services are started that the reference would start, each behind those that it waits for', async () => {
  const all = await read(PROJECT);
  assert.deepEqual(names(all), ['volumes', 'db', 'app', 'web', 'side']);
  assert.deepEqual(all.leftOut, ['debug', 'tools']);
  const some = await read(PROJECT, { runServices: ['side'] });
  assert.deepEqual(names(some), ['volumes', 'db', 'app', 'web', 'side']);
  assert.deepEqual(names(await read(PROJECT, { runServices: ['app'] })), ['volumes', 'db', 'app']);
  assert.deepEqual(names(await read(PROJECT, { runServices: ['debug'] })), [
    'tools',
    'debug',
    'volumes',
    'db',
    'app',
  ]);
  const profile = await read(PROJECT, { env: { COMPOSE_PROFILES: 'x,debug' } });
  assert.deepEqual(profile.leftOut, []);
  assert.equal(all.name, 'project_devcontainer');
  assert.equal((await read(`name: My.App\n${PROJECT}`)).name, 'myapp');
  assert.equal((await read(PROJECT, { env: { COMPOSE_PROJECT_NAME: 'given' } })).name, 'given');
});

test('what several services cannot be is an error that points at its line', async () => {
  const cases: readonly (readonly [string, RegExp, number?])[] = [
    [
      'services:\n  app: { image: a, depends_on: [b] }\n  b:\n    image: b\n    depends_on: [app]\n',
      /wait for each other: app -> b -> app/,
      5,
    ],
    ['services:\n  app:\n    image: a\n    depends_on: [none]\n', /no service none/, 4],
    ['services:\n  app: { image: a }\n  b: {}\n', /the service b has neither image nor build/],
    ['services:\n  app:\n    image: a\n    ports: [x]\n', /"x" is no port/, 4],
    ['services:\n  app:\n    image: a\n    ports: ["70000"]\n', /"70000" is no port/, 4],
    ['services:\n  app:\n    image: a\n    command: "a \'b"\n', /command ends inside single quotes/, 4],
    [
      'services:\n  app:\n    image: a\n    healthcheck:\n      test: x\n      interval: soon\n',
      /healthcheck.interval is "soon"/,
      6,
    ],
    [
      'services:\n  app:\n    image: a\n    healthcheck:\n      test: [x]\n',
      /begins with CMD, CMD-SHELL or NONE/,
      5,
    ],
    ['services:\n  app:\n    image: a\n    mem_limit: much\n', /mem_limit is "much"/, 4],
    ['services:\n  app:\n    image: a\n    cpus: many\n', /cpus is "many"/, 4],
    [
      'services:\n  app:\n    image: a\n    depends_on: { app2: { condition: soon } }\n  app2: { image: b }\n',
      /no condition "soon"/,
      4,
    ],
  ];
  for (const [compose, message, line] of cases) {
    const error = await read(compose).then(
      () => assert.fail(`it was accepted: ${compose}`),
      (reason) => reason,
    );
    assert.equal(error.code, 'DEVCONTAINER', error.stack);
    assert.match(error.message, message);
    if (line !== undefined) assert.equal(error.where.range.start.line, line, compose);
  }
});

test('elements of the top level are put together, with files where they lie', async () => {
  const { elements, services } = await read(`
services:
  app:
    image: a
    networks: { default: { aliases: [one, two] } }
    container_name: app_1
    hostname: host
    extra_hosts: ["a:10.0.0.1", "b=::1"]
secrets: { s: { file: ./s.txt }, e: { environment: E } }
volumes: { data: , other: { name: "n-\${X:-y}", external: true } }
`);
  assert.match(String(elements('secrets').s?.file), /\/\.devcontainer\/s\.txt$/);
  assert.deepEqual(elements('volumes'), { data: {}, other: { name: 'n-y', external: true } });
  assert.deepEqual(elements('configs'), {});
  assert.deepEqual(services[0]?.hostNames, ['app', 'host', 'app_1', 'one', 'two']);
  assert.deepEqual(services[0]?.extraHosts, [
    ['a', '10.0.0.1'],
    ['b', '::1'],
  ]);
});
