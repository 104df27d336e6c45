import { parseDuration } from '../dockerfile/parse/values.ts';

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** In the order of their numbers, from `least` on. */
  readonly names?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31 },
  {
    name: 'month',
    least: 1,
    most: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  {
    name: 'day of the week',
    least: 0,
    most: 6,
    names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
  },
];
const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/**
 * What is wrong with a schedule, by the rules that the API has for those of CronJobs (five fields as cron writes them, a
 * word such as @daily, or @every with a time, and no time zone); undefined when nothing is.
 */
export function scheduleFault(text: string): string | undefined {
  if (text.includes('TZ')) return 'a time zone has no place in it';
  if (text.startsWith('@')) return descriptorFault(text);
  const fields = text.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== FIELDS.length) return `it has ${fields.length} fields, and not 5`;
  for (const [i, field] of fields.entries()) {
    const fault = fieldFault(field, FIELDS[i]!);
    if (fault !== undefined) return `its ${FIELDS[i]!.name} is "${field}": ${fault}`;
  }
  return undefined;
}

function descriptorFault(text: string): string | undefined {
  if (DESCRIPTORS.includes(text)) return undefined;
  const [, every] = /^@every (.+)$/.exec(text) ?? [];
  if (every === undefined) return `there are ${DESCRIPTORS.join(', ')} and @every`;
  return parseDuration(every) === undefined ? `"${every}" is no time, as 1h30m is` : undefined;
}

function fieldFault(field: string, bounds: Field): string | undefined {
  // Empty items are passed over, as the API passes them over.
  for (const item of field.split(',').filter((each) => each !== '')) {
    const fault = itemFault(item, bounds);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** One item of a list: `*`, a number, a range, any of them with a step. */
function itemFault(item: string, bounds: Field): string | undefined {
  const [range = '', step, ...moreSteps] = item.split('/');
  const [from = '', to, ...more] = range.split('-');
  if (moreSteps.length > 0) return 'it has two steps';
  if (step !== undefined && !/^\+?\d+$/.test(step)) return 'its step is no number';
  if (step !== undefined && Number(step) === 0) return 'its step is 0';
  if (from === '*' || from === '?') return undefined;
  if (more.length > 0) return 'it has two hyphens';
  const start = numberOf(from, bounds);
  const end = to === undefined ? start : numberOf(to, bounds);
  if (start === undefined || end === undefined) return 'it is no number';
  if (start < bounds.least) return `it is below ${bounds.least}`;
  if (end > bounds.most || start > bounds.most) return `it is above ${bounds.most}`;
  return start > end ? 'it ends before it begins' : undefined;
}

function numberOf(text: string, { names = [], least }: Field): number | undefined {
  const at = names.indexOf(text.toLowerCase());
  if (at >= 0) return least + at;
  return /^\+?\d+$/.test(text) ? Number(text) : undefined;
}
