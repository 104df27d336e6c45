import type { DevcontainerConfig } from './types.ts';

type Loose = Readonly<Record<string, unknown>>;

/**
 * Moves properties of the time before `customizations` to `customizations.vscode`, as the reference implementation does:
 * extensions are added, settings and devPort give way to what is there.
 */
export function updateOldProperties(config: DevcontainerConfig): DevcontainerConfig {
  const { extensions, settings, devPort, ...rest } = config as DevcontainerConfig & Loose;
  if (!extensions && !settings && devPort === undefined) return config;
  const vscode = (rest.customizations?.vscode ?? {}) as Loose;
  const moved: Record<string, unknown> = { ...vscode };
  if (Array.isArray(extensions)) {
    moved.extensions = [...((vscode.extensions as unknown[] | undefined) ?? []), ...extensions];
  }
  if (settings) moved.settings = { ...settings, ...(vscode.settings as object | undefined) };
  if (devPort !== undefined && vscode.devPort === undefined) moved.devPort = devPort;
  return { ...rest, customizations: { ...rest.customizations, vscode: moved } };
}
