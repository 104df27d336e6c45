import { PackageURL } from 'packageurl-js';

/** What a package URL is made of (purl-spec); parts that a type does not have are left out. */
export interface PackageUrlParts {
  /** The type: deb, apk, npm, … */
  readonly type: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly version?: string | undefined;
  readonly qualifiers?: Readonly<Record<string, string | undefined>>;
}

/** A package URL; undefined where its type does not allow what a package says of itself. */
export function packageUrl({
  type,
  namespace,
  name,
  version,
  qualifiers = {},
}: PackageUrlParts): string | undefined {
  const given = Object.entries(qualifiers).filter((one): one is [string, string] => Boolean(one[1]));
  try {
    const url = new PackageURL(type, namespace, name, version, Object.fromEntries(given)).toString();
    // The library leaves it in versions, where the specification wants it encoded, and some readers take it for a space.
    return url.replaceAll('+', '%2B');
  } catch {
    return undefined;
  }
}
