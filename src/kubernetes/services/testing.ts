import { testRequest, withWorkspace } from '../../devcontainer/testing.ts';
import type { ServiceSettings } from '../types.ts';
import { readServices } from './read.ts';

/** The services of a Compose file whose dev container is the service app, as long as `work` runs. */
export function withServices<T>(
  compose: string,
  work: (services: ServiceSettings) => T,
  more: {
    readonly files?: Readonly<Record<string, string>>;
    readonly images?: Readonly<Record<string, string>>;
    readonly runServices?: readonly string[];
  } = {},
): Promise<T> {
  const { files = {}, images = {}, runServices } = more;
  const config = { dockerComposeFile: 'compose.yml', service: 'app', workspaceFolder: '/w', runServices };
  return withWorkspace(
    { '.devcontainer/devcontainer.json': config, '.devcontainer/compose.yml': compose, ...files },
    (folder) =>
      work(
        readServices(
          { ...testRequest(folder), env: { FROM_ENV: 'env' } },
          { checkout: 'checkout', images: new Map(Object.entries(images)), volumeSize: '5Gi' },
          () => {},
        ),
      ),
  );
}
