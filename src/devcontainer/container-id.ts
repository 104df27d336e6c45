import { createHash } from 'node:crypto';

/**
 * The value of `${devcontainerId}`: SHA-256 over the labels that identify a dev container, as 52 digits to the base of
 * 32 (Dev Container Specification, "${devcontainerId}").
 */
export function devcontainerId(labels: Readonly<Record<string, string>>): string {
  const sorted = JSON.stringify(labels, Object.keys(labels).sort());
  const hash = createHash('sha256').update(sorted, 'utf8').digest('hex');
  return BigInt(`0x${hash}`).toString(32).padStart(52, '0');
}

/** The labels of a dev container that is known by its folder and its file, as the reference implementation sets them. */
export function idLabels(workspaceFolder: string, configFile: string): Readonly<Record<string, string>> {
  return { 'devcontainer.local_folder': workspaceFolder, 'devcontainer.config_file': configFile };
}
