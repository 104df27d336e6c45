import { metadata } from './common.ts';
import type { ManifestSettings, Role, RoleBinding, ServiceAccount } from './types.ts';

type Rules = NonNullable<Role['rules']>;

/** An account of its own for what runs prebuilds, with the rights that it needs in its namespace. */
export function runner(
  name: string,
  rules: Rules,
  settings: ManifestSettings,
): readonly [ServiceAccount, Role, RoleBinding] {
  const own = metadata(name, 'prebuild', settings);
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: own },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: own, rules },
    bound(name, { kind: 'Role', name }, settings),
  ];
}

/** Gives an account a role. */
export function bound(
  account: string,
  role: { readonly kind: 'Role' | 'ClusterRole'; readonly name: string },
  settings: ManifestSettings,
): RoleBinding {
  const { namespace } = settings;
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: metadata(account, 'prebuild', settings),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...role },
    subjects: [{ kind: 'ServiceAccount', name: account, ...(namespace === undefined ? {} : { namespace }) }],
  };
}

/** To make the Jobs of prebuilds and to see how they end. */
export const JOB_RIGHTS: Rules[number] = {
  apiGroups: ['batch'],
  resources: ['jobs'],
  verbs: ['get', 'list', 'watch', 'create', 'patch'],
};
