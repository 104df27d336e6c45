import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached, temporaryDir } from '../../../scripts/lib/cache-dir.ts';
import { findGo, noGo } from '../../../scripts/lib/go-program.ts';
import { run, step } from '../../../scripts/lib/shell.ts';
import { NO_CLUSTER } from '../../../scripts/lib/skips.ts';

/** The program that is called by the names of these is made from test/cluster-parts. */
export const PART_NAMES = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'kubelet',
  'kubectl',
] as const;

/** Path of a directory with programs that were built elsewhere from test/cluster-parts. */
const PREPARED = 'ENVBUILDER_TEST_CLUSTER';
/** What is built: the program in the sources, and Helm from the same modules, which takes seconds beside it. */
const PROGRAMS = { cluster: '.', helm: 'helm.sh/helm/v3/cmd/helm' } as const;
const SOURCES = join(import.meta.dirname, '../../cluster-parts');
const SOURCE_NAMES = ['go.mod', 'main.go'];
/** The version that `kubectl` and the API server say they are. */
const VERSION_PACKAGES = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];

/** Why there is no cluster on this machine, for the `skip` of a test; CI allows this reason and no other. */
export function noCluster(): string | false {
  const why = noGo();
  if (why === false || process.env[PREPARED] !== undefined) return false;
  return `${NO_CLUSTER}: ${why}, and ${PREPARED} names no programs`;
}

/** The programs of a cluster. */
export interface ClusterParts {
  /** The parts of Kubernetes, which its name chooses. */
  readonly cluster: string;
  readonly helm: string;
}

/**
 * The programs, built once for all test runs: some ten minutes of processor time and 4 GB, which are removed after.
 * ENVBUILDER_TEST_CLUSTER names a directory that has them already.
 * @throws Error when they cannot be built
 */
export async function clusterParts(): Promise<ClusterParts> {
  const directory = process.env[PREPARED] ?? (await buildOnce());
  return { cluster: join(directory, 'cluster'), helm: join(directory, 'helm') };
}

async function buildOnce(): Promise<string> {
  const sources = SOURCE_NAMES.map((name) => readFileSync(join(SOURCES, name), 'utf8'));
  const version = /k8s\.io\/kubernetes (v[\d.]+)/.exec(sources[0] ?? '')?.[1] ?? 'v0';
  return cached('cluster-parts', sources, (path) =>
    step(`Building the parts of Kubernetes ${version}`, () => build(path, version)),
  );
}

async function build(path: string, version: string): Promise<void> {
  const dir = temporaryDir('cluster-parts');
  try {
    const source = join(dir, 'source');
    mkdirSync(source);
    // Go completes go.mod, so it works on a copy.
    for (const name of SOURCE_NAMES) copyFileSync(join(SOURCES, name), join(source, name));
    const [, major, minor] = /v(\d+)\.(\d+)/.exec(version) ?? [];
    const values = VERSION_PACKAGES.flatMap((name) => [
      `-X ${name}.gitVersion=${version}`,
      `-X ${name}.gitMajor=${major}`,
      `-X ${name}.gitMinor=${minor}`,
    ]);
    const go = ['-n', '10', findGo() ?? 'go', 'build', '-trimpath', '-tags=providerless,selinux'];
    const env = {
      CGO_ENABLED: '0',
      GOFLAGS: '-mod=mod -modcacherw',
      GOPATH: join(dir, 'go'),
      GOMODCACHE: join(dir, 'modules'),
      GOCACHE: join(dir, 'cache'),
    };
    mkdirSync(path);
    for (const [name, what] of Object.entries(PROGRAMS)) {
      const flags = [`-ldflags=-s -w ${values.join(' ')}`, '-o', join(path, name), what];
      await run('nice', [...go, ...flags], { cwd: source, env });
      if (!existsSync(join(path, name))) throw new Error(`go build made no ${join(path, name)}`);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
