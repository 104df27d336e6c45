import type { Emit } from '../../core/events.ts';
import type { Attachment } from '../../oci/referrer.ts';
import type { Descriptor, ImageConfig } from '../../oci/types.ts';
import { spdxDocument } from '../../sbom/document.ts';
import { readImage } from '../../sbom/read-image.ts';
import type { Inventory } from '../../sbom/types.ts';
import { layersOf, type OutputImage, type PushableImage } from '../made-image.ts';
import { statementAbout } from './statement.ts';

const PREDICATE = 'https://spdx.dev/Document';
/** Databases that a warning names. */
const MOST_NAMED = 3;

/** What lies in the images of a build. */
export interface Sboms {
  /** A statement about one of them, by its plan. */
  of(image: PushableImage, subject: Descriptor): Attachment;
}

/**
 * Reads which packages lie in images, without the runtime that may be put on top of them.
 * @throws AppError as readImage
 */
export async function createSboms(
  images: readonly OutputImage[],
  { name, version }: { readonly name: string; readonly version: string },
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<Sboms> {
  const inventories = new Map<unknown, Inventory>();
  for (const one of images) {
    const inventory = await readImage(layersOf(one), signal);
    inventories.set(one.plan, inventory);
    say(inventory, emit);
  }
  return {
    of: ({ plan, image }, subject) => {
      const { created } = JSON.parse(image.config.toString('utf8')) as ImageConfig;
      const described = {
        name,
        digest: subject.digest,
        platform: plan.imagePlatform,
        created,
        hasRuntime: image.runtime !== undefined,
      };
      const predicate = spdxDocument(described, inventories.get(plan)!, version);
      return statementAbout(subject, { name, predicateType: PREDICATE, predicate });
    },
  };
}

function say({ packages, unread }: Inventory, emit: Emit): void {
  const text = `the image has ${packages.length} packages in databases that are read`;
  emit({ type: 'message', level: 'info', text });
  if (unread.length === 0) return;
  const named = unread.slice(0, MOST_NAMED).map(({ path, why }) => `${path} ${why}`);
  const more = unread.length - named.length;
  emit({
    type: 'warning',
    code: 'SBOM',
    text: `the list of packages lacks some: ${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
    hint: 'its comment says the same',
  });
}
