import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ContentDigest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import type { ReachMarks } from '../oci/dir-keep.ts';
import type { DirLayout } from '../oci/dir-layout.ts';
import type { DirectoryLock } from '../oci/dir-lock.ts';
import type { Access } from './rights.ts';

/** What a request asks for, with its names checked. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: ManifestReference }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: ContentDigest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: ContentDigest };

export type ManifestReference =
  | { readonly type: 'tag'; readonly tag: string }
  | { readonly type: 'digest'; readonly digest: ContentDigest };

/** One request under way. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly query: URLSearchParams;
  /** What whoever asks may do; that the route itself is allowed is checked already. */
  readonly access: Access;
}

/** The directory that is served. */
export interface Storage {
  readonly root: string;
  readonly lock: DirectoryLock;
  readonly marks: ReachMarks;
  readonly layout: (repository: string) => DirLayout;
  readonly emit: Emit;
}
