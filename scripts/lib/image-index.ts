import { type Descriptor, openStore, parseReference } from '../../src/index.ts';

/** Media type of an index (OCI image spec, "Image Index"). */
const INDEX = 'application/vnd.oci.image.index.v1+json';

/**
 * Puts images that were pushed already under one index, and pushes that.
 * @param reference where to, with a tag; the images are in the same repository
 * @returns the digest of the index
 */
export async function pushIndex(
  reference: string,
  images: readonly { readonly digest: string; readonly architecture: string }[],
): Promise<string> {
  const { tag = 'latest' } = parseReference(reference);
  await using opened = await openStore({ type: 'registry', reference });
  const manifests: (Descriptor & { readonly platform: object })[] = [];
  for (const { digest, architecture } of images) {
    const found = await opened.store.resolve(digest);
    if (found === undefined) throw new Error(`${reference} has no image ${digest}`);
    const { mediaType, size } = found.descriptor;
    const descriptor = { mediaType, digest: found.descriptor.digest, size };
    manifests.push({ ...descriptor, platform: { architecture, os: 'linux' } });
  }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  return (await opened.store.tag(index, INDEX, tag)).digest;
}
