import type { Where } from '../../core/error.ts';
import { loadProject, type MergedService, type ProjectRequest } from './load-project.ts';

export interface ComposeRequest extends ProjectRequest {
  readonly service: string;
  /** What names the service. */
  readonly serviceWhere: Where;
}

/**
 * Reads one service of a Compose project.
 * @throws AppError DEVCONTAINER
 */
export function loadService(request: ComposeRequest): MergedService {
  return loadProject(request).service(request.service, request.serviceWhere);
}
