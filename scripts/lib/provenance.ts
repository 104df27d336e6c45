import { execFileSync } from 'node:child_process';

/**
 * How files were made, as an in-toto statement with SLSA's provenance (slsa.dev/spec/v1.0/provenance): of which commit, by
 * which script, and where. It is as true as whoever signs it; a release signs it.
 */
export function provenance(of: {
  readonly root: string;
  readonly epoch: number;
  readonly subjects: readonly { readonly name: string; readonly sha256: string }[];
}): string {
  const { root, epoch, subjects } = of;
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_WORKFLOW_REF } = process.env;
  const onGithub = GITHUB_SERVER_URL !== undefined && GITHUB_REPOSITORY !== undefined;
  const repository = onGithub ? `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}` : undefined;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:envbuilder:npm-run-dist:v1',
        externalParameters: { script: 'scripts/dist.ts', sourceDateEpoch: epoch },
        resolvedDependencies: [
          {
            ...(repository === undefined ? {} : { uri: `git+${repository}` }),
            digest: { gitCommit: commitOf(root) },
          },
        ],
      },
      runDetails: {
        builder: { id: onGithub ? `${GITHUB_SERVER_URL}/${GITHUB_WORKFLOW_REF}` : 'local' },
        ...(onGithub ? { metadata: { invocationId: `${repository}/actions/runs/${GITHUB_RUN_ID}` } } : {}),
      },
    },
  };
  return `${JSON.stringify(statement, null, 2)}\n`;
}

function commitOf(root: string): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
