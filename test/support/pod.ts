import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Container, PodSpec } from '../../src/kubernetes/types.ts';
import { envbuilder } from './envbuilder.ts';

/** How Docker runs a container of a pod. */
export interface PodRun {
  readonly args: readonly string[];
  readonly flags: readonly string[];
}

/** The pod that a part of the manifests starts. */
export async function podOf(part: string, ...args: readonly string[]): Promise<PodSpec> {
  const { code, stdout, stderr } = await envbuilder(['k8s', part, ...args]);
  assert.equal(code, 0, stderr);
  for (const document of parseAllDocuments(stdout)) {
    const object = document.toJS() as { kind: string; spec: PodSpec & { template?: { spec: PodSpec } } };
    if (object.kind === 'Pod') return object.spec;
    if (object.spec?.template) return object.spec.template.spec;
  }
  throw new Error(`${part} has no pod`);
}

/**
 * What of a container of a pod Docker can do as a kubelet does: users, rights, limits, variables, hosts, volumes.
 * @param volumes directories by the names of volumes; folders of them are made where a mount asks for one
 */
export function asDocker(
  pod: PodSpec,
  {
    volumes,
    secrets = {},
  }: {
    readonly volumes: Readonly<Record<string, string>>;
    readonly secrets?: Readonly<Record<string, string>>;
  },
  container: Container = pod.containers[0]!,
): PodRun {
  const { securityContext: context = {}, resources } = container;
  const user = context.runAsUser ?? pod.securityContext?.runAsUser;
  const group = pod.securityContext?.fsGroup;
  for (const directory of Object.values(volumes)) {
    if (group === undefined) continue;
    chownSync(directory, 0, group);
    chmodSync(directory, 0o2775);
  }
  const env = (container.env ?? []).flatMap(({ name, value, valueFrom }) => {
    const from = valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef;
    const text = value ?? secrets[`${from?.name}/${from?.key}`];
    return text === undefined ? [] : [`--env=${name}=${text}`];
  });
  const { limits } = resources ?? {};
  const [entrypoint, ...more] = container.command ?? [];
  return {
    args: [...more, ...(container.args ?? [])],
    flags: [
      ...(entrypoint === undefined ? [] : [`--entrypoint=${entrypoint}`]),
      ...(pod.hostAliases ?? []).flatMap(({ ip, hostnames = [] }) =>
        hostnames.map((name) => `--add-host=${name}:${ip}`),
      ),
      ...(user === undefined ? [] : [`--user=${user}:${pod.securityContext?.runAsGroup ?? user}`]),
      ...(context.readOnlyRootFilesystem ? ['--read-only'] : []),
      ...(context.allowPrivilegeEscalation === false ? ['--security-opt=no-new-privileges'] : []),
      ...(context.capabilities?.drop ?? []).map((name) => `--cap-drop=${name}`),
      ...(context.capabilities?.add ?? []).map((name) => `--cap-add=${name}`),
      ...(limits?.memory === undefined
        ? []
        : [`--memory=${String(limits.memory).replace(/i$/, '').toLowerCase()}`]),
      ...env,
      ...(container.volumeMounts ?? []).map(({ name, mountPath, readOnly, subPath = '' }) => {
        const source = join(volumes[name]!, subPath);
        mkdirSync(source, { recursive: true });
        return `--volume=${source}:${mountPath}${readOnly ? ':ro' : ''}`;
      }),
    ],
  };
}
