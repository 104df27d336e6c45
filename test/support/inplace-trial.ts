import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type Environment, openEnvironment } from './environment.ts';
import { listLayers } from './layer-list.ts';
import {
  type ContainerJob,
  type ContainerOptions,
  type ContainerOutcome,
  createOwnContainer,
  type OwnContainer,
  unpackRuntimeImage,
} from './own-container.ts';
import { readOciLayout } from './read-image.ts';

/** Builds in a container of its own. */
export interface Trial {
  readonly container: OwnContainer;
  /** A directory that the container sees under the same name. */
  readonly dir: string;
  /** A directory for what is mounted into it elsewhere. */
  readonly volumes: string;
  build(
    dockerfile: string,
    job?: Partial<ContainerJob>,
    options?: ContainerOptions,
  ): Promise<ContainerOutcome>;
  /** Names in the uppermost layers of the last build, lowest first. */
  names(layers: number): Promise<string[][]>;
}

export interface Trials {
  readonly environment: Environment;
  /** The runtime image, as createOwnContainer takes it. */
  readonly image: string;
  /** Calls `use` with a new container. */
  trial(use: (trial: Trial) => Promise<void>): Promise<void>;
}

/** Trials for the tests of a file, with a registry and a web server. */
export function useTrials(): Trials {
  let environment: Environment;
  let image: string;
  before(async () => {
    environment = await openEnvironment(['registry', 'http']);
    image = await unpackRuntimeImage(environment.services.registry);
  });
  after(async () => {
    if (image) rmSync(image, { recursive: true, force: true });
    await environment.stop();
  });
  return {
    get environment() {
      return environment;
    },
    get image() {
      return image;
    },
    trial: (use) => runTrial(environment, image, use),
  };
}

async function runTrial(
  { services }: Environment,
  image: string,
  use: (trial: Trial) => Promise<void>,
): Promise<void> {
  const dir = join(services.dir, `inplace-${process.hrtime.bigint()}`);
  mkdirSync(join(dir, 'context'), { recursive: true });
  const volumes = `${dir}-volumes`;
  mkdirSync(volumes);
  const container = createOwnContainer(image, dir);
  let builds = 0;
  let startedAt = 0;
  try {
    await use({
      container,
      dir,
      volumes,
      build: async (dockerfile, job = {}, options = {}) => {
        builds += 1;
        startedAt = Math.floor(Date.now() / 1000) - 1;
        const text = dockerfile.replaceAll('@REGISTRY@', services.registry!.host);
        writeFileSync(join(dir, 'context/Dockerfile'), text);
        const args = [
          ...(job.args ?? []),
          `--output=type=oci,dest=${join(dir, `layout${builds}`)}`,
          join(dir, 'context'),
        ];
        return container.build({ ...job, args }, options);
      },
      names: async (layers) => {
        const lists = listLayers(await readOciLayout(join(dir, `layout${builds}`)), startedAt);
        return lists.slice(-layers).map((lines) => lines.map((line) => line.split(' ')[4] ?? ''));
      },
    });
  } finally {
    container.close();
    for (const made of [dir, volumes]) rmSync(made, { recursive: true, force: true });
  }
}
