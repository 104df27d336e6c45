import { certificatesMount, certificatesVolume, registryVariables } from './builds.ts';
import { namesOf, TERMINATION_MESSAGE, unprivilegedContainer, unprivilegedPod } from './common.ts';
import { cacheRepository, secretVariable } from './secrets.ts';
import type { ManifestSettings, PodSpec } from './types.ts';

/**
 * Makes one image of those that were built for each architecture. It waits for them at the registry, so nothing has to start
 * it behind them.
 * @param tag what the index is called in the repository of the cache, and what the names of the images begin with
 */
export function indexPod(settings: ManifestSettings, tag: string): PodSpec {
  const { runtimeImage, architectures, caConfigMap, priorityClass } = settings;
  const repository = cacheRepository(settings);
  return {
    ...unprivilegedPod(settings),
    ...(priorityClass === undefined ? {} : { priorityClassName: priorityClass }),
    restartPolicy: 'Never',
    containers: [
      {
        name: 'index',
        image: runtimeImage,
        args: [
          'index',
          `--tag=${repository}:${tag}`,
          `--tag=${repository}:latest`,
          '--wait=2h',
          '--progress=plain',
          ...architectures.map((arch) => `${repository}:${tag}-${arch}`),
        ],
        env: [
          secretVariable('ENVBUILDER_DOCKER_CONFIG_BASE64', namesOf(settings).registryPush, 'config'),
          ...registryVariables(settings),
          { ...TERMINATION_MESSAGE },
        ],
        ...unprivilegedContainer(),
        ...(caConfigMap === undefined ? {} : { volumeMounts: [certificatesMount()] }),
      },
    ],
    ...(caConfigMap === undefined ? {} : { volumes: [certificatesVolume(caConfigMap)] }),
  };
}
