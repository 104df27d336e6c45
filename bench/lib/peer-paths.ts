import { existsSync } from 'node:fs';

/** Where the programs of others lie; one that is left out is not measured. */
export interface PeerPaths {
  readonly kaniko?: string;
  readonly envbuilder?: string;
}

const VARIABLES = {
  kaniko: { variable: 'ENVBUILDER_BENCH_KANIKO', called: 'kaniko' },
  envbuilder: { variable: 'ENVBUILDER_BENCH_ENVBUILDER', called: 'envbuilder (Go)' },
} as const;

/** The paths that the environment gives, and why one is missing. */
export function peerPaths(env: Readonly<Record<string, string | undefined>>): {
  readonly paths: PeerPaths;
  readonly reasons: readonly string[];
} {
  const reasons: string[] = [];
  const pathOf = (name: keyof PeerPaths): PeerPaths => {
    const { variable, called } = VARIABLES[name];
    const path = env[variable];
    if (path && existsSync(path)) return { [name]: path };
    const why = path
      ? `there is no ${path}, which ${variable} names`
      : `${variable} does not name its program`;
    reasons.push(`${called}: ${why}`);
    return {};
  };
  return { paths: { ...pathOf('kaniko'), ...pathOf('envbuilder') }, reasons };
}
