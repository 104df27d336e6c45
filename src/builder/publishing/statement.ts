import { hexOf } from '../../core/digest.ts';
import { canonicalJson } from '../../oci/canonical-json.ts';
import type { Attachment } from '../../oci/referrer.ts';
import type { Descriptor } from '../../oci/types.ts';

const IN_TOTO = 'application/vnd.in-toto+json';

/** An in-toto statement (version 1) about an image, stored as BuildKit stores its own. */
export function statementAbout(
  subject: Descriptor,
  { name, predicateType, predicate }: StatementParts,
): Attachment {
  return {
    artifactType: IN_TOTO,
    content: canonicalJson({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name, digest: { sha256: hexOf(subject.digest) } }],
      predicateType,
      predicate,
    }),
    annotations: { 'in-toto.io/predicate-type': predicateType },
  };
}

interface StatementParts {
  /** Of the image. */
  readonly name: string;
  /** A URI that says what the predicate is. */
  readonly predicateType: string;
  readonly predicate: object;
}
