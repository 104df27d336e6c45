import type { FeatureOptions } from '../types.ts';

/** Where features that once had a plain name went. */
const COLLECTION = 'ghcr.io/devcontainers/features';
const VERSION = '1';

const MOVED = new Set(
  `aws-cli azure-cli desktop-lite docker-in-docker docker-from-docker dotnet git git-lfs github-cli java
  kubectl-helm-minikube node powershell python ruby rust sshd terraform`.split(/\s+/),
);
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['golang', 'go'],
  ['common', 'common-utils'],
]);
/** Features that became options of another. */
const ABSORBED: ReadonlyMap<string, readonly [into: string, option: string]> = new Map([
  ['gradle', ['java', 'installGradle']],
  ['maven', ['java', 'installMaven']],
  ['jupyterlab', ['python', 'installJupyterlab']],
]);

/** The full id of a feature that once had a plain name; any other id as it is. */
export function currentName(id: string): string {
  if (MOVED.has(id)) return `${COLLECTION}/${id}:${VERSION}`;
  const renamed = RENAMED.get(id);
  return renamed === undefined ? id : `${COLLECTION}/${renamed}:${VERSION}`;
}

type Features = Readonly<Record<string, FeatureOptions>>;

/**
 * The features with those that became options of another one turned into these.
 * @param warn called for every id of the time before collections
 */
export function updateOldFeatures(features: Features, warn: (id: string, instead: string) => void): Features {
  const current: Record<string, FeatureOptions> = {};
  for (const [id, options] of Object.entries(features)) {
    if (ABSORBED.has(id)) continue;
    current[id] = options;
    if (currentName(id) !== id) warn(id, currentName(id));
  }
  for (const id of Object.keys(features)) {
    const [into, option] = ABSORBED.get(id) ?? [];
    if (into === undefined || option === undefined) continue;
    const full = `${COLLECTION}/${into}`;
    const present = Object.keys(current).find(
      (other) => other === into || other === full || other.startsWith(`${full}:`),
    );
    const target = present ?? `${full}:${VERSION}`;
    current[target] = { ...objectOptions(current[target]), [option]: true };
    warn(id, `${target} with the option ${option}`);
  }
  return current;
}

function objectOptions(options: FeatureOptions | undefined): Readonly<Record<string, string | boolean>> {
  if (typeof options === 'object') return options;
  return typeof options === 'string' ? { version: options } : {};
}
