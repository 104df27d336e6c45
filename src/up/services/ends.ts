import type { AppError } from '../../core/error.ts';
import type { ProjectService } from '../../devcontainer/compose/services.ts';
import { declaredPorts, portConflict, portsIn, saysTaken } from './ports.ts';

/** Of what a service has said. */
const LINES = 20;

/**
 * The error of a service that has ended because it could not have its port; undefined where that is not why.
 * @param output all that it has said
 * @param others who of the project listens on what
 */
export function explainEnd(
  service: ProjectService,
  output: string,
  others: readonly { readonly name: string; readonly port: number }[],
): AppError | undefined {
  const lines = output.trim().split('\n').slice(-LINES).filter(saysTaken);
  if (lines.length === 0) return undefined;
  const { entrypoint = [], command = [], environment, healthCheck } = service;
  const asked = typeof healthCheck === 'object' ? healthCheck.command : [];
  // Where the program does not say which port it is, its own words mostly do.
  const words = [
    ...entrypoint,
    ...command,
    ...Object.values(environment),
    ...declaredPorts(service),
    ...asked,
  ];
  for (const text of [lines.join('\n'), words.join('\n')]) {
    const other = others.find(({ port }) => portsIn(text).includes(port));
    if (other) return portConflict(other.port, [other.name, service.name], service);
  }
  return undefined;
}
