import { definitions } from './kinds/definitions.ts';
import { directories } from './kinds/directories.ts';
import { documents } from './kinds/documents.ts';
import { namedFiles } from './kinds/named-files.ts';
import { places } from './kinds/places.ts';
import { records } from './kinds/records.ts';
import { replies } from './kinds/replies.ts';
import { repositories } from './kinds/repositories.ts';
import { streams } from './kinds/streams.ts';
import { tables } from './kinds/tables.ts';
import { tarLinks } from './kinds/tar-links.ts';
import { tarNames } from './kinds/tar-names.ts';
import { tarNumbers } from './kinds/tar-numbers.ts';
import { tarPax } from './kinds/tar-pax.ts';
import { tarPlaces } from './kinds/tar-places.ts';
import { tarSparse } from './kinds/tar-sparse.ts';
import { tarSpecial } from './kinds/tar-special.ts';
import type { Kind, TarInput } from './types.ts';
import { directoryWays, recordWays, tableWays } from './ways/caches.ts';
import { documentWays, replyWays } from './ways/images.ts';
import { optionWays } from './ways/options.ts';
import {
  startDocumentWays,
  startRecordWays,
  startStreamWays,
  startTableWays,
  startTarWays,
} from './ways/starts.ts';
import { streamWays, tarWays } from './ways/tars.ts';
import { repositoryWays, treeWays } from './ways/trees.ts';
import type { WayIn } from './ways/way.ts';

/** Inputs of one form, and the ways that can carry them. */
export interface Form<Input> {
  readonly name: string;
  readonly kinds: readonly Kind<Input>[];
  readonly ways: readonly WayIn<Input>[];
}

const form = <Input>(
  name: string,
  kinds: readonly Kind<Input>[],
  ways: readonly WayIn<Input>[],
): Form<unknown> => ({ name, kinds, ways }) as Form<unknown>;

const tars: readonly Kind<TarInput>[] = [
  ...tarNames,
  ...tarLinks,
  ...tarSpecial,
  ...tarNumbers,
  ...tarPax,
  ...tarSparse,
  ...tarPlaces,
];

/** Everything hostile, and where it can come from. */
export const forms: readonly Form<unknown>[] = [
  form('tar', tars, [...tarWays, ...startTarWays]),
  form('stream', streams, [...streamWays, ...startStreamWays]),
  form('table', tables, [...tableWays, ...startTableWays]),
  form('record', records, [...recordWays, ...startRecordWays]),
  form('document', documents, [...documentWays, ...startDocumentWays]),
  form('reply', replies, replyWays),
  form('definition', definitions, treeWays),
  form('place', places, treeWays),
  form('repository', repositories, repositoryWays),
  form('directory', directories, directoryWays),
  form('option', namedFiles, optionWays),
];
