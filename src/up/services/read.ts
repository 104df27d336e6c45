import { AppError } from '../../core/error.ts';
import { buildOfService } from '../../devcontainer/compose/compose-form.ts';
import { readProject } from '../../devcontainer/compose/project.ts';
import type { ComposeProject, ProjectService } from '../../devcontainer/compose/services.ts';
import { readConfig } from '../../devcontainer/read-config.ts';
import type { DefinitionBuild, DefinitionRequest } from '../../devcontainer/types.ts';

/** The Compose project of a dev container. */
export interface UpProject {
  readonly project: ComposeProject;
  /** The service that is the dev container. */
  readonly own: ProjectService;
  /** Those beside it, in the order of their starts. */
  readonly others: readonly ProjectService[];
  /** The workspace. */
  readonly folder: string;
  /** Directories that files have to lie in which the project names. */
  readonly roots: readonly string[];
}

/**
 * The Compose project that a devcontainer.json is of; undefined where it is of none.
 * @throws AppError DEVCONTAINER, OUTSIDE
 */
export function readUpProject(configFile: string, request: DefinitionRequest): UpProject | undefined {
  // Whoever builds the dev container has warned already.
  const read = readConfig(configFile, { ...request, devcontainerJsonPath: configFile }, () => {});
  const { config, folder, roots } = read;
  // As buildForm chooses.
  const hasDockerfile = (config.dockerFile ?? config.build?.dockerfile) !== undefined;
  if (hasDockerfile || config.dockerComposeFile === undefined) return undefined;
  const { project, own: name } = readProject(read, request.env, () => {});
  const own = project.services.find((service) => service.name === name)!;
  return { project, own, others: project.services.filter((one) => one !== own), folder, roots };
}

/**
 * What a service beside the dev container is built from.
 * @throws AppError DEVCONTAINER, OUTSIDE
 */
export function serviceBuild(configFile: string, request: DefinitionRequest, name: string): DefinitionBuild {
  const read = readConfig(configFile, { ...request, devcontainerJsonPath: configFile }, () => {});
  const { project } = readProject(read, request.env, () => {});
  const service = project.services.find((one) => one.name === name);
  if (service === undefined)
    throw new AppError('DEVCONTAINER', `the Compose project has no service ${name} any more`, {
      hint: 'its files were changed meanwhile; call up again',
    });
  const { build } = buildOfService(service, read);
  return { ...build, repository: read.folder, allowOutside: read.roots };
}
