import type { Dockerfile } from '../types.ts';
/**
 * Parses a Dockerfile as BuildKit's front end does: source → lines → logical lines with heredocs → instructions → stages.
 * Nothing is expanded yet; see types.ts for the fields that need it.
 * @param file the name that ranges and errors carry
 * @throws AppError DOCKERFILE with the range and the line of what is wrong; also for any finding under `# check=error=true`
 */
export declare function parseDockerfile(content: Buffer | string, file: string): Dockerfile;
