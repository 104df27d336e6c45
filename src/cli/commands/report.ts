import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError, toAppError } from '../../core/error.ts';
import { plainText } from '../../core/plain-text.ts';
import { writeOutputText } from '../../index.ts';
import { parseReport } from '../../report/page/read.ts';
import { type NamedReport, trendPage } from '../../report/page/trend.ts';
import { readRegularFile } from '../../sys/regular-file.ts';
import type { CommandBody } from '../command.ts';

/** Far more than the report of any build has. */
const LARGEST_REPORT = 64 << 20;
/** A page with more builds shows nothing any more. */
const MOST_REPORTS = 500;

/** `envbuilder report DIR`: one page of several builds, out of the reports that they have written as JSON. */
export const reportCommand: CommandBody = async (
  { options, operands },
  { cwd, stdout, signal, redactor },
  emit,
) => {
  const [directory, ...more] = operands;
  if (directory === undefined || more.length > 0)
    throw new AppError('USAGE', `one directory is to be named, not ${operands.length}`, {
      hint: 'write envbuilder report DIR -o FILE.html',
    });
  const path = resolve(cwd, directory);
  const [file, ...others] = options.output;
  if (others.length > 0) throw new AppError('USAGE', 'a page is written to one file');
  const reports: NamedReport[] = [];
  for (const name of namesIn(path)) {
    try {
      const text = readRegularFile(join(path, name), { limit: LARGEST_REPORT }).toString('utf8');
      reports.push({ name, report: parseReport(text, name) });
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
      hint: 'let builds write them there: envbuilder build --report DIR/NAME.json',
    });
  const newest = reports
    .toSorted((a, b) => (a.report.started < b.report.started ? 1 : -1))
    .slice(0, MOST_REPORTS);
  const page = trendPage(redactor.value(newest) as readonly NamedReport[]);
  if (file === undefined) {
    stdout.write(page);
    return;
  }
  const target = resolve(cwd, file);
  try {
    await writeOutputText(target, page, { signal });
  } catch (error) {
    throw toAppError(error, 'OUTPUT', `cannot write the page ${target}`, { where: { path: target } });
  }
};

/** @throws AppError USAGE */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => /\.json$/i.test(name));
  } catch (error) {
    throw toAppError(error, 'USAGE', `cannot list ${directory}`, { where: { path: directory } });
  }
}
