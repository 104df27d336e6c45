import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { dockerCompose } from '../scripts/lib/docker-compose.ts';
import { capture } from '../scripts/lib/shell.ts';
import type { HealthCheck } from '../src/devcontainer/compose/service-values.ts';
import { composeProject, type ProjectService } from '../src/devcontainer/compose/services.ts';

/** What Docker Compose makes of the same files is the specification; `config` needs no engine. */

const FILES: Readonly<Record<string, string>> = {
  'a.yml': `
name: proj
services:
  app:
    image: a
    depends_on: [db, { }]
`.replace(', { }', ''),
  'b.yml': `
x-ports: &ports ["80", "8080:81", "127.0.0.1:90-91:90-91/udp", "9000-9001:82-83", "127.0.0.1::84", "[::1]:85:85"]
services:
  app:
    depends_on:
      cache: { condition: service_healthy }
      setup: { condition: service_completed_successfully }
      other: { condition: service_started, required: false }
    command: sh -c "echo \\"a b\\" 'c'" x\\ y
    entrypoint: ""
  db:
    image: b
    hostname: database
    command: [server, "--flag=$$x"]
    entrypoint: /bin/entry --a 'b c'
    working_dir: /srv
    ports: *ports
    expose: ["100-101", 102]
    tmpfs: /run:size=64m
    cap_add: [SYS_PTRACE]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    read_only: true
    volumes: [data:/data:ro, "./b.yml:/b.yml:ro,z", { type: bind, source: ., target: /src, read_only: true }]
    healthcheck: { test: "check | grep ok", interval: 1m30s, timeout: "1m", retries: 7, start_period: 500ms }
    mem_limit: 512m
    cpus: 0.5
    stop_grace_period: 90s
    secrets: [password, { source: password, target: other, mode: 0400 }]
    configs: [conf, { source: conf, target: /etc/conf }]
    networks: { default: { aliases: [pg] } }
  cache:
    image: c
    healthcheck: { test: [CMD, ping, "a b"], start_interval: 2s }
    tmpfs: [/a, "/b:mode=1777"]
    deploy: { resources: { limits: { cpus: "1.5", memory: 1gb }, reservations: { memory: 64M } } }
  setup:
    image: d
    links: [linked:l]
    healthcheck: { disable: true }
  linked: { image: e, network_mode: "service:cache", healthcheck: { test: [NONE] } }
  other: { image: f, profiles: [more] }
secrets: { password: { file: ./p.txt } }
configs: { conf: { content: "x=1" } }
volumes: { data: , fixed: { name: fixed-name, external: true } }
`,
};

let dir: string;
let compose: string | undefined;
let reason = '';
before(async () => {
  dir = temporaryDir('compose-services');
  mkdirSync(join(dir, 'folder'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(dir, 'folder', name), text);
  compose = await dockerCompose(dir).catch((error) => {
    reason = String(error);
    return undefined;
  });
});
after(() => rmSync(dir, { recursive: true, force: true }));

type Mapping = Readonly<Record<string, unknown>>;

interface Theirs {
  readonly name: string;
  readonly services: Readonly<Record<string, Mapping>>;
  readonly volumes: Readonly<Record<string, Mapping>>;
}

const seconds = (text: unknown): number | undefined => {
  if (text === undefined) return undefined;
  const units: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };
  const parts = [...String(text).matchAll(/([\d.]+)(ms|h|m|s)/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * units[unit!]!, 0);
};

/** A service as Docker Compose prints it, with what Compose fills in where the engine starts it. */
function theirs(service: Mapping): object {
  const check = service.healthcheck as Mapping | undefined;
  const limits = ((service.deploy as Mapping | undefined)?.resources ?? {}) as Record<string, Mapping>;
  const depends = Object.entries((service.depends_on ?? {}) as Record<string, Mapping>).filter(
    ([, { required }]) => required,
  );
  // Where they lie is left to who starts it (Compose Specification, "secrets" and "configs" of a service).
  const files = (kind: string, place: string) =>
    ((service[kind] ?? []) as { source: string; target?: string }[]).map(({ source, target = source }) => [
      source,
      target.startsWith('/') ? target : place + target,
    ]);
  return {
    entrypoint: service.entrypoint ?? undefined,
    command: service.command ?? undefined,
    workingDir: service.working_dir,
    tmpfs: service.tmpfs ?? [],
    ports: ((service.ports ?? []) as Mapping[]).map(({ target, protocol, published, host_ip }) => ({
      target,
      protocol,
      published,
      hostIp: host_ip,
    })),
    healthCheck:
      check === undefined
        ? undefined
        : check.disable === true || (check.test as string[])[0] === 'NONE'
          ? 'none'
          : {
              test: check.test,
              interval: seconds(check.interval) ?? 30,
              timeout: seconds(check.timeout) ?? 30,
              retries: check.retries ?? 3,
              startPeriod: seconds(check.start_period) ?? 0,
              startInterval: seconds(check.start_interval),
            },
    dependsOn: Object.fromEntries(depends.map(([name, { condition }]) => [name, condition])),
    readOnly: service.read_only ?? false,
    capAdd: service.cap_add ?? [],
    capDrop: service.cap_drop ?? [],
    securityOpt: service.security_opt ?? [],
    memory: Number(service.mem_limit ?? limits.limits?.memory ?? 0),
    cpus: Number(service.cpus ?? limits.limits?.cpus ?? 0),
    reserved: Number(limits.reservations?.memory ?? 0),
    stopGracePeriod: seconds(service.stop_grace_period),
    secrets: files('secrets', '/run/secrets/'),
    configs: files('configs', '/'),
    volumes: ((service.volumes ?? []) as Mapping[]).map(({ type, source, target, read_only }) => ({
      type,
      source,
      target,
      readOnly: read_only,
    })),
  };
}

function ours(service: ProjectService): object {
  const testOf = ({ command }: HealthCheck) =>
    command[0] === '/bin/sh' ? ['CMD-SHELL', command.at(-1)] : ['CMD', ...command];
  const { healthCheck: check } = service;
  const files = (kind: 'secrets' | 'configs') => service[kind].map(({ source, target }) => [source, target]);
  return {
    entrypoint: service.entrypoint,
    command: service.command,
    workingDir: service.workingDir,
    tmpfs: service.tmpfs.map(({ target, options }) => (options ? `${target}:${options}` : target)),
    ports: service.ports,
    healthCheck: typeof check === 'object' ? { test: testOf(check), ...check, command: undefined } : check,
    dependsOn: Object.fromEntries(service.dependsOn),
    readOnly: service.readOnly,
    capAdd: service.capAdd,
    capDrop: service.capDrop,
    securityOpt: service.securityOpt,
    memory: service.limits.memory ?? 0,
    cpus: service.limits.cpus ?? 0,
    reserved: service.reservations.memory ?? 0,
    stopGracePeriod: service.stopGracePeriod,
    secrets: files('secrets'),
    configs: files('configs'),
    volumes: service.volumes,
  };
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('services are read as Docker Compose reads them', async (t) => {
  if (compose === undefined) return t.skip(reason);
  const folder = join(dir, 'folder');
  const names = Object.keys(FILES);
  const args = names.flatMap((name) => ['-f', join(folder, name)]);
  const done = await capture(compose, [...args, 'config', '--format', 'json'], {
    env: { COMPOSE_PROJECT_NAME: undefined },
    cwd: folder,
  });
  assert.equal(done.code, 0, done.stderr);
  const expected = JSON.parse(done.stdout.toString().replaceAll('$$', '$')) as Theirs;
  const project = composeProject({
    files: names.map((name) => join(folder, name)),
    service: 'app',
    env: {},
    roots: [folder],
    by: 'definition',
    where: {},
    serviceWhere: {},
  });
  assert.equal(project.name, expected.name);
  assert.deepEqual(project.services.map(({ name }) => name).sort(), Object.keys(expected.services).sort());
  for (const service of project.services)
    assert.deepEqual(plain(ours(service)), plain(theirs(expected.services[service.name]!)), service.name);
});
