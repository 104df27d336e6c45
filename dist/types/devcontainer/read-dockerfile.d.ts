import { type Where } from '../core/error.ts';
/** The text of a Dockerfile. @throws AppError DEVCONTAINER at the place that names the file */
export declare function readDockerfile(path: string, where: Where): string;
