import { generateKeyPairSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { parseAllDocuments } from 'yaml';
import { temporaryDir } from '../../../scripts/lib/cache-dir.ts';
import type { CleanUp } from '../../../scripts/lib/cleanup.ts';
import { runtimeImage } from '../../../scripts/lib/runtime-image.ts';
import { PATIENCE_MS } from '../../../src/core/testing.ts';
import type { Job, PersistentVolumeClaim, Pod } from '../../../src/kubernetes/types.ts';
import { createRepository, type TestRepository } from '../../../src/workspace/testing.ts';
import { envbuilder } from '../envbuilder.ts';
import { openEnvironment } from '../environment.ts';
import { startGitHttpServer } from '../git-http-server.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { NODE_ADDRESS, REGISTRY_PORT } from './configuration.ts';

const GIT_PORT = 6610;
const GIT_USER = 'git';
export const GIT_PASSWORD = 'pw-of-the-git-server';

/** Where pods find the services of the tests. */
export const BASE = `${NODE_ADDRESS}:${REGISTRY_PORT}/busybox:1`;
export const OTHER_BASE = `${NODE_ADDRESS}:${REGISTRY_PORT}/multi:1`;
export const GIT = `http://${NODE_ADDRESS}:${GIT_PORT}`;

/** A cluster, with a git server beside it, and what an operator does there. */
export interface Fleet {
  readonly cluster: Cluster;
  /** What pods get at `${GIT}/…`, by path, besides repositories. */
  readonly pages: Map<string, RequestListener>;
  /** A repository with a dev container; pods find it at `${GIT}/${name}.git`. */
  repository(name: string, dockerfile: string): TestRepository;
  /** A namespace in which pods can be made, with the level of Pod Security that it enforces. */
  namespace(name: string, level: 'baseline' | 'restricted'): Promise<void>;
  /** What every call of `envbuilder k8s` has to be told about this cluster. */
  readonly flags: readonly string[];
  /** What `envbuilder k8s` prints for this cluster. */
  printed(...args: readonly string[]): Promise<string>;
  /** The same, applied. */
  apply(...args: readonly string[]): Promise<string>;
  /** The Secrets of docs/kubernetes.md, all but the users of the registry. */
  secrets(namespace: string, logins: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Waits for the end of a Job.
   * @returns the messages of its pods that have ended
   * @throws Error with its log when that is not the one
   */
  ended(namespace: string, job: string, how?: 'Complete' | 'Failed'): Promise<readonly Message[]>;
  /** Waits until a pod is ready. @throws Error with its log when it ends before */
  ready(namespace: string, pod: string): Promise<void>;
  /** The output of a command in a pod. */
  exec(namespace: string, pod: string, ...command: readonly string[]): Promise<string>;
}

/** What a pod of ours says in the end. */
export interface Message {
  readonly command: string;
  readonly outcome: string;
  readonly image?: string;
  readonly steps: { readonly planned: number; readonly built: number };
  readonly error?: { readonly message: string; readonly hint?: string };
}

/** What the Secrets are made of; the same for every namespace. */
const password = (user: string): string => `pw-of-${user}`;

/** Users for the registry as htpasswd writes them. */
export function usersFile(users: readonly string[]): string {
  return users.map((user) => `${user}:${hashSync(password(user), 4)}\n`).join('');
}

/** A Docker config for one registry, as JSON. */
export function loginFor(host: string, user: string): string {
  return JSON.stringify({ auths: { [host]: { username: user, password: password(user) } } });
}

/** Starts one; `cleanUp` ends all of it. */
export async function startFleet(cleanUp: CleanUp): Promise<Fleet> {
  const environment = await openEnvironment(['registry']);
  cleanUp.add(environment.stop);
  const { registry } = environment.services;
  if (registry === undefined) throw new Error(`no registry: ${environment.services.reasons.registry}`);
  const dir = temporaryDir('fleet');
  cleanUp.add(() => rmSync(dir, { recursive: true, force: true }));
  const repositories = join(dir, 'git');
  const login = { user: GIT_USER, password: GIT_PASSWORD };
  const pages: Fleet['pages'] = new Map();
  const git = await startGitHttpServer({
    root: repositories,
    login,
    intercept: (incoming, response) => {
      const page = pages.get(incoming.url ?? '');
      page?.(incoming, response);
      return page !== undefined;
    },
  });
  cleanUp.add(git.stop);
  const local = (port: number) => ({ host: '127.0.0.1', port });
  const ports = {
    [REGISTRY_PORT]: local(Number(registry.host.split(':')[1])),
    [GIT_PORT]: local(git.port),
  };
  const { tar, reference } = await runtimeImage(registry);
  const cluster = await startCluster(dir, ports, cleanUp);
  await cluster.load(tar);
  const flags = [
    `--runtime-image=${reference}`,
    `--insecure-registry=${NODE_ADDRESS}:${REGISTRY_PORT}`,
    // The node has two processors.
    '--requests=cpu=50m,memory=128Mi',
  ];
  const own = [`--repository=${GIT}/app.git`, `--image=${BASE}`];
  const printed: Fleet['printed'] = async (...args) => {
    const { code, stdout, stderr } = await envbuilder(['k8s', ...flags, ...own, ...args]);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const signingKey = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const trustedKeys = publicKey.export({ type: 'spki', format: 'pem' });
  const { ok, until } = cluster;
  const logs = async (namespace: string, object: string): Promise<string> => {
    const { stdout, stderr } = await cluster.kubectl(['logs', `--namespace=${namespace}`, object]);
    return `${stdout.toString()}${stderr}${await ok(['describe', `--namespace=${namespace}`, object])}`;
  };
  return {
    cluster,
    pages,
    flags,
    printed,
    repository: (name, dockerfile) => {
      const made = createRepository(join(repositories, `${name}.git`));
      made.commit({
        'devcontainer.json': JSON.stringify({ build: { dockerfile: 'Dockerfile' } }),
        Dockerfile: dockerfile,
      });
      made.git('branch', '-M', 'main');
      return made;
    },
    namespace: async (name, level) => {
      const metadata = { name, labels: { 'pod-security.kubernetes.io/enforce': level } };
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata };
      await ok(['create', '--filename=-'], JSON.stringify(object));
      await ok(['wait', ...within, '--for=create', `--namespace=${name}`, 'serviceaccount/default']);
    },
    apply: async (...args) => ok(['apply', '--server-side', '--filename=-'], await printed(...args)),
    secrets: async (namespace, logins) => {
      const secret = (kind: string, name: string, values: Readonly<Record<string, string>>) =>
        ok([
          'create',
          `--namespace=${namespace}`,
          ...kind.split(' '),
          name,
          ...Object.entries(values).map(([key, value]) => `--from-literal=${key}=${value}`),
        ]);
      for (const [name, config] of Object.entries(logins))
        await secret('secret generic', name, { config: base64(config) });
      await secret('secret generic', 'envbuilder-signing-key', { key: base64(String(signingKey)) });
      await secret('configmap', 'envbuilder-trusted-keys', { trusted: base64(String(trustedKeys)) });
      await secret('secret generic', 'envbuilder-git', { username: GIT_USER, password: GIT_PASSWORD });
    },
    ended: async (namespace, name, how = 'Complete') => {
      const isSo = ({ status }: Job, wanted: string): boolean =>
        status?.conditions?.some((each) => each.type === wanted && each.status === 'True') ?? false;
      const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
      const job = await until<Job>(path, name, (each) => isSo(each, 'Complete') || isSo(each, 'Failed'));
      if (!isSo(job, how)) throw new Error(`not ${how}: ${await logs(namespace, `job/${name}`)}`);
      const pods = ['get', `--namespace=${namespace}`, 'pods', `--selector=job-name=${name}`];
      const message = '{range .items[*]}{.status.containerStatuses[0].state.terminated.message}{"\\n"}{end}';
      const texts = (await ok([...pods, `--output=jsonpath=${message}`])).split('\n');
      return texts.filter((text) => text !== '').map((text) => JSON.parse(text) as Message);
    },
    ready: async (namespace, name) => {
      const isReady = ({ status }: Pod): boolean =>
        status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
      const hasEnded = ({ status }: Pod): boolean => /Failed|Succeeded/.test(status?.phase ?? '');
      const path = `/api/v1/namespaces/${namespace}/pods`;
      const pod = await until<Pod>(path, name, (each) => isReady(each) || hasEnded(each));
      if (!isReady(pod)) throw new Error(`not ready: ${await logs(namespace, `pod/${name}`)}`);
    },
    exec: (namespace, pod, ...command) => ok(['exec', `--namespace=${namespace}`, pod, '--', ...command]),
  };
}

const within = [`--timeout=${PATIENCE_MS / 1000}s`];

const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Kinds {
  readonly Job: Job;
  readonly Pod: Pod;
  readonly PersistentVolumeClaim: PersistentVolumeClaim;
}

/** The only object of a kind that was printed. */
export function printedObject<K extends keyof Kinds>(yaml: string, kind: K): Kinds[K] {
  const objects = parseAllDocuments(yaml).map((document) => document.toJS() as Kinds[K]);
  const [found, more] = objects.filter((object) => object.kind === kind);
  if (found === undefined || more !== undefined) throw new Error(`not one ${kind}:\n${yaml}`);
  return found;
}
