import { createHash } from 'node:crypto';
import type { Resources } from '../../devcontainer/compose/services.ts';

const MI = 1024 * 1024;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?$/;

/** Bytes as Kubernetes writes them. */
export function bytesQuantity(bytes: number): string {
  return bytes % MI === 0 ? `${bytes / MI}Mi` : String(bytes);
}

/** Processors as Kubernetes writes them. */
function cpuQuantity(cpus: number): string {
  return Number.isInteger(cpus) ? String(cpus) : `${Math.max(1, Math.round(cpus * 1000))}m`;
}

/** Resources of a container; undefined where there are none. */
export function quantities({ memory, cpus }: Resources): Record<string, string> | undefined {
  if (memory === undefined && cpus === undefined) return undefined;
  return {
    ...(cpus === undefined ? {} : { cpu: cpuQuantity(cpus) }),
    ...(memory === undefined ? {} : { memory: bytesQuantity(memory) }),
  };
}

/** A DNS label for a name of a Compose file; names that differ stay different. */
export function dnsLabel(name: string): string {
  if (LABEL.test(name)) return name;
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40);
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return plain === '' ? `x-${hash}` : `${plain.replace(/-$/, '')}-${hash}`;
}

/** A text that Kubernetes expands to what was meant: `$(NAME)` is a variable there (API reference, "Container"). */
export function literal(text: string): string {
  return /\$[$(]/.test(text) ? text.replaceAll('$', '$$$$') : text;
}
