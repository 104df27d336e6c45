import { type Digest, digestOf, hexOf } from '../core/digest.ts';
import { canonicalJson } from '../oci/canonical-json.ts';
import type { Platform } from '../oci/types.ts';
import { isLicenseExpression } from './license.ts';
import { packageUrl } from './package-url.ts';
import type { Distribution, FoundPackage, Inventory, Unread } from './types.ts';

/** An image that a document is about. */
export interface DescribedImage {
  /** `host/repository`, or a name without a registry. */
  readonly name: string;
  readonly digest: Digest;
  readonly platform: Platform;
  /** RFC 3339, of the image; undefined where it has no time. */
  readonly created: string | undefined;
  /** Programs of our own that were put on top of it. */
  readonly hasRuntime: boolean;
}

/** A software bill of materials as the predicate of a statement (SPDX 2.3, JSON). */
export interface SpdxDocument extends Readonly<Record<string, unknown>> {
  readonly spdxVersion: 'SPDX-2.3';
}

const UNKNOWN = 'NOASSERTION';
const IMAGE_ID = 'SPDXRef-image';
const DOCUMENT_ID = 'SPDXRef-DOCUMENT';
/** Unread databases that are named one by one. */
const MOST_NAMED = 20;

/**
 * What lies in an image, as SPDX. A function of its arguments: its time is that of the image, and its namespace is made of
 * what it says, so the same image has the same document.
 * @param version of this program
 */
export function spdxDocument(image: DescribedImage, inventory: Inventory, version: string): SpdxDocument {
  const licenses = createLicenses();
  const packages = new Map<string, object>();
  for (const one of inventory.packages) {
    const described = describePackage(one, inventory.distribution, licenses.declared);
    packages.set(described.SPDXID, described);
  }
  if (image.hasRuntime) packages.set(RUNTIME_ID, runtimePackage(version));
  const ids = [...packages.keys()].sort();
  const body = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: DOCUMENT_ID,
    name: image.name,
    creationInfo: {
      created: `${(image.created ?? '1970-01-01T00:00:00').slice(0, 19)}Z`,
      creators: [`Tool: envbuilder-${version}`],
    },
    ...commentOf(inventory.unread),
    packages: [imagePackage(image), ...ids.map((id) => packages.get(id)!)],
    ...licenses.others(),
    relationships: [
      relation(DOCUMENT_ID, 'DESCRIBES', IMAGE_ID),
      ...ids.map((id) => relation(IMAGE_ID, 'CONTAINS', id)),
    ],
  } as const;
  const hash = hexOf(digestOf(canonicalJson(body)));
  return { ...body, documentNamespace: `https://spdx.org/spdxdocs/envbuilder-${hash}` };
}

function relation(spdxElementId: string, relationshipType: string, relatedSpdxElement: string): object {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

function commentOf(unread: readonly Unread[]): { readonly comment?: string } {
  if (unread.length === 0) return {};
  const named = unread.slice(0, MOST_NAMED).map(({ path, why }) => `${path} ${why}`);
  const more = unread.length > MOST_NAMED ? [`${unread.length - MOST_NAMED} more`] : [];
  return { comment: `Packages of these databases are missing: ${[...named, ...more].join('; ')}.` };
}

function imagePackage({ name, digest, platform }: DescribedImage): object {
  const at = name.lastIndexOf('/');
  const url = packageUrl({
    type: 'oci',
    name: name.slice(at + 1),
    version: digest,
    qualifiers: { arch: platform.architecture, repository_url: at < 0 ? undefined : name },
  });
  return {
    SPDXID: IMAGE_ID,
    name,
    versionInfo: digest,
    ...COMMON,
    licenseDeclared: UNKNOWN,
    primaryPackagePurpose: 'CONTAINER',
    checksums: [{ algorithm: 'SHA256', checksumValue: hexOf(digest) }],
    ...externalUrl(url),
  };
}

const RUNTIME_ID = 'SPDXRef-envbuilder';

function runtimePackage(version: string): object {
  return {
    SPDXID: RUNTIME_ID,
    name: 'envbuilder',
    versionInfo: version,
    ...COMMON,
    licenseDeclared: 'Apache-2.0',
    sourceInfo:
      'The programs below /.envbuilder, which were put on top of the image; their parts are not listed.',
    ...externalUrl(packageUrl({ type: 'npm', name: 'envbuilder', version })),
  };
}

const COMMON = {
  downloadLocation: UNKNOWN,
  filesAnalyzed: false,
  licenseConcluded: UNKNOWN,
  copyrightText: UNKNOWN,
} as const;

function describePackage(
  one: FoundPackage,
  distribution: Distribution | undefined,
  declared: (text: string | undefined) => string,
) {
  const { ecosystem, name, version, path, maintainer, homepage } = one;
  const supplier = maintainer === undefined ? UNKNOWN : actor(maintainer);
  const id = hexOf(digestOf([ecosystem, name, version, one.arch, path].join('\n'))).slice(0, 16);
  return {
    SPDXID: `SPDXRef-${ecosystem}-${name.replace(/[^A-Za-z0-9.-]+/g, '-').slice(0, 80)}-${id}`,
    name,
    versionInfo: version,
    supplier,
    ...COMMON,
    licenseDeclared: declared(one.license),
    sourceInfo: `As ${path} says.`,
    ...(homepage !== undefined && /^https?:\/\/[^\s]+$/.test(homepage) ? { homepage } : {}),
    ...externalUrl(urlOf(one, distribution)),
  };
}

function externalUrl(url: string | undefined): object {
  if (url === undefined) return {};
  return {
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: url }],
  };
}

/** A package URL; those of a system have their distribution in them, by which others look up what is known of a package. */
function urlOf(
  { ecosystem: type, name, version, arch, epoch, upstream }: FoundPackage,
  distribution: Distribution | undefined,
): string | undefined {
  if (type === 'pypi') return packageUrl({ type, name, version });
  if (type === 'npm') {
    const slash = name.indexOf('/');
    const namespace = slash < 0 ? undefined : name.slice(0, slash);
    return packageUrl({ type, namespace, name: name.slice(slash + 1), version });
  }
  const distro = distribution?.version && `${distribution.id}-${distribution.version}`;
  const namespace = distribution?.id;
  return packageUrl({ type, namespace, name, version, qualifiers: { arch, distro, epoch, upstream } });
}

/** `Person: …` or `Organization: …`, as SPDX wants whoever supplies something (2.3, section 7.5). */
function actor(maintainer: string): string {
  const [, name = '', email] = /^([^<]*)(?:<([^<>\s]+)>)?/.exec(maintainer) ?? [];
  const plain = name.replace(/[()"]/g, ' ').replace(/\s+/g, ' ').trim() || email;
  if (plain === undefined) return UNKNOWN;
  const isGroup =
    /\b(?:Team|Maintainers?|Developers?|Project|Group|Foundation|Inc|Ltd|authors?|contributors)\b/i;
  const address = email === undefined || !/^[^\s()@]+@[^\s()@]+$/.test(email) ? '' : ` (${email})`;
  return `${isGroup.test(plain) ? 'Organization' : 'Person'}: ${plain}${address}`;
}

interface Licenses {
  /** What a package may say of itself in a document. */
  readonly declared: (text: string | undefined) => string;
  /** The names that `declared` gave to what SPDX does not know, with the texts. */
  others(): { readonly hasExtractedLicensingInfos?: readonly object[] };
}

function createLicenses(): Licenses {
  const texts = new Map<string, string>();
  return {
    declared: (text) => {
      if (text === undefined) return UNKNOWN;
      if (isLicenseExpression(text)) return text;
      const id = `LicenseRef-${hexOf(digestOf(text)).slice(0, 16)}`;
      texts.set(id, text);
      return id;
    },
    others: () =>
      texts.size === 0
        ? {}
        : {
            hasExtractedLicensingInfos: [...texts]
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([licenseId, text]) => ({ licenseId, name: text, extractedText: text })),
          },
  };
}
