import { AppError, type Where } from '../core/error.ts';

/**
 * EXPOSE arguments as keys of ExposedPorts: `80` → `80/tcp`, `8000-8002/udp` → three keys.
 * @throws AppError DOCKERFILE for a malformed port, range or protocol
 */
export function exposedPorts(specs: readonly string[], where: Where): string[] {
  return specs.flatMap((spec) => {
    const match = /^(?:[^:]*:)*(\d+)(?:-(\d+))?(?:\/([a-zA-Z]+))?$/.exec(spec);
    const protocol = (match?.[3] ?? 'tcp').toLowerCase();
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || !['tcp', 'udp', 'sctp'].includes(protocol) || last > 65535 || first > last) {
      throw new AppError('DOCKERFILE', `EXPOSE has the invalid port "${spec}"`, {
        where,
        hint: 'write a port or a range from 0 to 65535, with /tcp, /udp or /sctp after it',
      });
    }
    return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol}`);
  });
}
