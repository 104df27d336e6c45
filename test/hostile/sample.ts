import type { Form } from './forms.ts';
import { allPairs, type Pair } from './session.ts';

/** Inputs tried in a form, beside the honest ones; the more a form can cost, the more of it. */
const MOST: Readonly<Record<string, number>> = {
  tar: 140,
  table: 60,
  document: 50,
  definition: 60,
  place: 60,
};
const USUAL = 30;
/** Starts that are tried in all, beside the honest ones: each takes a container. */
const STARTS = 56;

/** What CI tries of a form: the honest inputs by every way, and hostile ones at even distances, each by the next way. */
export function sampleOf(form: Form<unknown>): readonly Pair[] {
  const ways = form.ways.filter((way) => way.start !== true);
  return spread({ ...form, ways }, MOST[form.name] ?? USUAL);
}

/** What CI tries of starts, of every form that they can be given. */
export function sampleOfStarts(forms: readonly Form<unknown>[]): readonly Pair[] {
  const started = forms
    .map((form) => ({ ...form, ways: form.ways.filter((way) => way.start === true) }))
    .filter(({ ways }) => ways.length > 0);
  const kinds = started.reduce((sum, form) => sum + form.kinds.length, 0);
  return started.flatMap((form) => spread(form, Math.round((STARTS * form.kinds.length) / kinds)));
}

/** Sparse files without room, each by another part that has to see it. */
const SPARSE = [
  'tar/sparse-many/base-gzip',
  'tar/sparse-1-tib/add-plain',
  'tar/sparse-many/add-gzip',
  'place/copied-is-sparse-1-tib/context',
  'place/added-is-sparse-1-tib/context',
  'place/added-is-sparse-many/context',
  'place/bound-is-sparse-many/context',
  'definition/docker-sparse-run/context',
  'definition/docker-sparse-copy-from/context',
];

/** All that CI tries of sparse files, which a sample might leave out. */
export function sparsePairs(forms: readonly Form<unknown>[]): readonly Pair[] {
  return allPairs(forms).filter(({ name }) => SPARSE.includes(name));
}

function spread(form: Form<unknown>, most: number): readonly Pair[] {
  const pairs = allPairs([form]);
  const honest = pairs.filter(({ kind }) => kind.name.endsWith('honest'));
  const step = Math.max(1, form.kinds.length / most);
  const some = Array.from({ length: Math.min(most, form.kinds.length) }, (_, count) => {
    const own = pairs.filter(({ kind }) => kind === form.kinds[Math.floor(count * step)]);
    return own[count % own.length]!;
  });
  return [...new Set([...honest, ...some])];
}
