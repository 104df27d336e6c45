import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './shell.ts';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
}

interface Sbom {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * The packages of others that are in the program, as CycloneDX: what npm says of the lockfile, without what differs from
 * call to call. What is there for development alone is left out here: npm's own --omit=dev forgets a package that we
 * need and that a development package needs as well (npm 11.19).
 * @param epoch the time that it carries, in seconds since the epoch
 */
export async function readSbom(root: string, epoch: number): Promise<string> {
  const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--sbom-type=application'];
  const { serialNumber: _, ...sbom } = JSON.parse(await run('npm', args, { cwd: root })) as Sbom & {
    readonly serialNumber: string;
  };
  const shipped = shippedPackages(root);
  const components = sbom.components.filter(({ name }) => shipped.has(name));
  const refs = new Set([...components, sbom.metadata.component].map((component) => component['bom-ref']));
  return `${JSON.stringify(
    {
      ...sbom,
      metadata: {
        ...sbom.metadata,
        timestamp: new Date(epoch * 1000).toISOString(),
        component: { ...sbom.metadata.component, name: 'envbuilder' },
      },
      components,
      dependencies: sbom.dependencies
        .filter(({ ref }) => refs.has(ref))
        .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => refs.has(each)) })),
    },
    null,
    2,
  )}\n`;
}

/** Names of what package.json needs at run time, with all that those need. */
function shippedPackages(root: string): ReadonlySet<string> {
  type Needs = Readonly<
    Partial<Record<'dependencies' | 'optionalDependencies', Readonly<Record<string, string>>>>
  >;
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Needs>>;
  };
  const needs = (path: string): readonly string[] =>
    Object.keys({ ...packages[path]?.dependencies, ...packages[path]?.optionalDependencies });
  const found = new Set(needs(''));
  // A set takes what is added while it is walked through.
  for (const name of found) for (const more of needs(`node_modules/${name}`)) found.add(more);
  return found;
}
