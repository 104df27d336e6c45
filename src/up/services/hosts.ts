import { isIP } from 'node:net';
import type { ProjectService } from '../../devcontainer/compose/services.ts';

const LOCALHOST = '127.0.0.1';

/**
 * The lines of /etc/hosts with which the containers of a project find each other: all share the network of the machine, so
 * each name is the machine.
 */
export function projectHosts(services: readonly ProjectService[]): readonly string[] {
  const own = new Set<string>();
  const extra: string[] = [];
  for (const { hostNames, all, extraHosts } of services) {
    for (const name of hostNames) own.add(name);
    for (const link of [all.links ?? []].flat().map(String)) {
      const [, alias] = link.split(':');
      if (alias) own.add(alias);
    }
    for (const [name, address] of extraHosts)
      extra.push(`${isIP(address) === 0 ? LOCALHOST : address} ${name}`);
  }
  const names = [...own].filter((name) => /^[^\s#]+$/.test(name));
  return [...(names.length === 0 ? [] : [`${LOCALHOST} ${names.join(' ')}`]), ...new Set(extra)];
}
