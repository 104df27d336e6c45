import { digestOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { type Attachment, attach } from '../../oci/referrer.ts';
import type { Descriptor, Store } from '../../oci/types.ts';
import type { Plan } from '../../plan/types.ts';
import { manifestDescriptor } from '../image.ts';
import type { OutputImage, PushableImage } from '../made-image.ts';
import type { Session } from '../session.ts';
import type { BuildRequest } from '../types.ts';
import { provenanceOf } from './provenance.ts';
import type { Sboms } from './sbom.ts';

/** Images, and what names them together where there are several. */
export interface Attestable {
  readonly images: readonly PushableImage[];
  readonly index: Buffer | undefined;
}

/** A document about an image or an index that is stored beside it. */
export interface Attestation {
  readonly subject: Descriptor;
  /** The option that asks for it. */
  readonly option: 'provenance' | 'sbom';
  readonly attachment: Attachment;
}

/** The documents about images that a build was asked for. */
export type Attest = (of: Attestable) => readonly Attestation[];

/**
 * Finds out what the documents say.
 * @returns what makes them for these images, with the runtime or without it
 * @throws AppError as readImage
 */
export async function createAttest(
  request: BuildRequest,
  { repositoryName, commits }: Pick<Session, 'repositoryName' | 'commits'>,
  images: readonly OutputImage[],
  deps: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<Attest> {
  const name = repositoryName ?? request.tags[0] ?? '_';
  const sboms = request.sbom && (await sbomsOf(request, images, { name, ...request.sbom }, deps));
  return ({ images: made, index }) => {
    const subjects: { plan: Plan; subject: Descriptor }[] = made.map(({ plan, image }) => ({
      plan,
      subject: manifestDescriptor(image),
    }));
    // Each is asked for by its digest, and what is in an index is told by its images.
    if (index) {
      const subject = { mediaType: MEDIA_TYPES.ociIndex, digest: digestOf(index), size: index.length };
      subjects.push({ plan: made[0]!.plan, subject });
    }
    const provenance = request.provenance ? subjects : [];
    return [
      ...provenance.map(({ plan, subject }): Attestation => {
        const attachment = provenanceOf(request, commits, { name, plan, subject });
        return { subject, option: 'provenance', attachment };
      }),
      ...(sboms
        ? made.map((one): Attestation => {
            const subject = manifestDescriptor(one.image);
            return { subject, option: 'sbom', attachment: sboms.of(one, subject) };
          })
        : []),
    ];
  };
}

/** Undefined, with a warning, where a registry cannot be asked and a push need not succeed. @throws AppError as createSboms */
async function sbomsOf(
  { push, failOnPushError }: BuildRequest,
  images: readonly OutputImage[],
  about: { readonly name: string; readonly version: string },
  deps: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<Sboms | undefined> {
  const { createSboms } = await import('./sbom.ts');
  try {
    return await createSboms(images, about, deps);
  } catch (error) {
    const mayFail = push && !failOnPushError && error instanceof AppError && error.code !== 'CORRUPT';
    if (!mayFail || deps.signal.aborted) throw error;
    const { code, hint } = error;
    const text = `which packages lie in the image is not known: ${error.message}`;
    deps.emit({ type: 'warning', code, text, ...(hint === undefined ? {} : { hint }) });
    return undefined;
  }
}

/** @throws AppError of the store, saying what is missing; the images are there by then */
export async function attachAll(
  store: Store,
  attestations: readonly Attestation[],
  signal: AbortSignal,
): Promise<void> {
  for (const { subject, option, attachment } of attestations) {
    try {
      await attach(store, subject, attachment, signal);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const text = `the image is stored in ${store.name}, but not its ${WHAT[option]}: ${error.message}`;
      throw new AppError(error.code, text, {
        hint: error.hint ?? `leave --${option} out where the registry takes images alone`,
        cause: error,
      });
    }
  }
}

const WHAT: Readonly<Record<Attestation['option'], string>> = {
  provenance: 'provenance',
  sbom: 'list of packages',
};
