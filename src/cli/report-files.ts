import { resolve } from 'node:path';
import { AppError, toAppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import type { BuildObserver } from '../core/observer.ts';
import { writeOutputText } from '../index.ts';
import { createReportCollector, type ReportCollector } from '../report/page/collect.ts';
import { readSourceLine } from '../report/source-line.ts';
import type { Parsed } from './options/parse.ts';
import { OPTIONS, type OptionName } from './options/table.ts';
import type { OptionRow } from './options/types.ts';
import type { CommandContext } from './run-context.ts';
import { version } from './version.ts';

/** A report that is gathered while a command runs. */
export interface ReportFiles {
  readonly emit: (event: Event) => void;
  readonly observer: BuildObserver;
  /** Writes what is known by now into every file that `--report` names. @throws AppError OUTPUT */
  write(): Promise<void>;
}

/**
 * Begins the report that `--report` asks for, and loads what it is written with: a start replaces its root meanwhile.
 * @throws AppError USAGE for a file that is neither HTML nor JSON
 */
export async function startReport(
  parsed: Parsed,
  { redactor, cwd, signal }: Pick<CommandContext, 'redactor' | 'cwd' | 'signal'>,
): Promise<ReportFiles> {
  const files = parsed.options.report.map((file) => ({ path: resolve(cwd, file), format: formatOf(file) }));
  const pages = files.some(({ format }) => format === 'html')
    ? await import('../report/page/page.ts')
    : undefined;
  const collector: ReportCollector = createReportCollector({
    command: parsed.command,
    facts: [
      { name: 'envbuilder', value: version() },
      { name: 'Options', value: optionsText(parsed) },
    ],
    redactor,
    readLine: readSourceLine,
  });
  return {
    emit: collector.emit,
    observer: collector.observer,
    write: async () => {
      const report = collector.report();
      for (const { path, format } of files) {
        const text = format === 'html' && pages ? pages.reportPage(report) : `${JSON.stringify(report)}\n`;
        try {
          // An interrupted run has a report too.
          await writeOutputText(path, text, signal.aborted ? {} : { signal });
        } catch (error) {
          throw toAppError(error, 'OUTPUT', `cannot write the report ${path}`, { where: { path } });
        }
      }
    },
  };
}

function formatOf(file: string): 'html' | 'json' {
  if (/\.json$/i.test(file)) return 'json';
  if (/\.html?$/i.test(file)) return 'html';
  throw new AppError('USAGE', `a report is a page or JSON, and ${file} is named as neither`, {
    hint: 'let its name end with .html or .json',
  });
}

/** Which options were given. Of values only those are said that can be no secret: numbers, and words of ours. */
function optionsText({ options, given }: Parsed): string {
  const rows: readonly OptionRow[] = OPTIONS.filter(({ name }) => given.has(name as OptionName));
  const names = rows.map((row) => {
    const plain =
      row.secret !== true && (row.type === 'boolean' || row.type === 'integer' || row.choices !== undefined);
    return `--${row.name}${plain ? `=${String(options[row.name as keyof typeof options])}` : ''}`;
  });
  return names.length > 0 ? names.join(' ') : 'none';
}
