import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError, toAppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { plainText } from '../../core/plain-text.ts';
import { writeOutputText } from '../../index.ts';
import { parseReport } from '../../report/page/read.ts';
import { type NamedReport, trendPage } from '../../report/page/trend.ts';
import type { Report } from '../../report/page/types.ts';
import { readRegularFile } from '../../sys/regular-file.ts';
import type { CommandBody } from '../command.ts';

/** Far more than the report of any build has. */
const LARGEST_REPORT = 64 << 20;
/** A page with more builds shows nothing any more. */
const MOST_REPORTS = 500;

/** `envbuilder report PATH`: of reports that builds have written as JSON a page, a list, or the data. */
export const reportCommand: CommandBody = async (
  { options, operands },
  { cwd, stdout, signal, redactor },
  emit,
) => {
  const [place, ...more] = operands;
  if (place === undefined || more.length > 0)
    throw new AppError('USAGE', `one directory or report is to be named, not ${operands.length}`, {
      hint: 'write envbuilder report DIR -o FILE.html',
    });
  const path = resolve(cwd, place);
  const [file, ...others] = options.output;
  if (others.length > 0) throw new AppError('USAGE', 'a page is written to one file');
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() !== false;
  const given = isDirectory ? readAll(path, emit) : [{ name: place, report: readOne(path, place) }];
  const reports = redactor.value(given) as readonly NamedReport[];
  const text = await textOf(reports, file, isDirectory);
  if (file === undefined || FORMS.includes(file)) {
    stdout.write(text);
    return;
  }
  const target = resolve(cwd, file);
  try {
    await writeOutputText(target, text, { signal });
  } catch (error) {
    throw toAppError(error, 'OUTPUT', `cannot write the page ${target}`, { where: { path: target } });
  }
};

/** What `--output` names besides files. */
const FORMS: readonly string[] = ['text', 'json'];

async function textOf(
  reports: readonly NamedReport[],
  form: string | undefined,
  isDirectory: boolean,
): Promise<string> {
  if (form === 'json') {
    const all = reports.map(({ name, report: { started, command, outcome, error, ms, totals } }) => ({
      ...{ report: name, started, command, outcome, error, ms, totals },
    }));
    return `${JSON.stringify(isDirectory ? all : reports[0]!.report)}\n`;
  }
  if (form === 'text') {
    const { reportsTable, reportText } = await import('./report-text.ts');
    return isDirectory ? reportsTable(reports) : reportText(reports[0]!.report);
  }
  if (isDirectory) return trendPage(reports);
  return (await import('../../report/page/page.ts')).reportPage(reports[0]!.report);
}

/** @returns the newest first. @throws AppError USAGE where there is none */
function readAll(path: string, emit: Emit): readonly NamedReport[] {
  const reports: NamedReport[] = [];
  for (const name of namesIn(path)) {
    try {
      reports.push({ name, report: readOne(join(path, name), name) });
    } catch (error) {
      // Other files may lie beside the reports.
      const { message, hint } = toAppError(error, 'USAGE', `${plainText(name)} cannot be read`);
      emit({
        type: 'warning',
        code: 'USAGE',
        text: `${plainText(message, 500)}; it is left out`,
        ...(hint ? { hint } : {}),
      });
    }
  }
  if (reports.length === 0)
    throw new AppError('USAGE', `${path} holds no reports`, {
      where: { path },
      hint: 'let builds write them there: envbuilder build --report DIR/',
    });
  return reports.toSorted((a, b) => (a.report.started < b.report.started ? 1 : -1)).slice(0, MOST_REPORTS);
}

/** @throws AppError USAGE */
function readOne(path: string, name: string): Report {
  try {
    return parseReport(readRegularFile(path, { limit: LARGEST_REPORT }).toString('utf8'), name);
  } catch (error) {
    throw toAppError(error, 'USAGE', `${plainText(name)} cannot be read`, { where: { path } });
  }
}

/** @throws AppError USAGE */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => /\.json$/i.test(name));
  } catch (error) {
    throw toAppError(error, 'USAGE', `cannot list ${directory}`, { where: { path: directory } });
  }
}
