import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError, toAppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import { makeDirectories } from '../core/make-directories.ts';
import type { BuildObserver } from '../core/observer.ts';
import { writeOutputText } from '../index.ts';
import { createReportCollector, type ReportCollector } from '../report/page/collect.ts';
import type { Report } from '../report/page/types.ts';
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
  const files = parsed.options.report.map((file) => ({
    path: resolve(cwd, file),
    format: formatOf(file),
    isDirectory: file.endsWith('/'),
  }));
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
      for (const { path: place, format, isDirectory } of files) {
        const path = isDirectory ? join(place, nameOf(report)) : place;
        const text = format === 'html' && pages ? pages.reportPage(report) : `${JSON.stringify(report)}\n`;
        try {
          // An interrupted run has a report too.
          if (isDirectory) makeDirectories(place);
          await writeOutputText(path, text, signal.aborted ? {} : { signal });
          if (isDirectory) removeOld(place);
        } catch (error) {
          throw toAppError(error, 'OUTPUT', `cannot write the report ${path}`, { where: { path } });
        }
      }
    },
  };
}

function formatOf(file: string): 'html' | 'json' {
  if (/\.json$/i.test(file) || file.endsWith('/')) return 'json';
  if (/\.html?$/i.test(file)) return 'html';
  throw new AppError('USAGE', `a report is a page or JSON, and ${file} is named as neither`, {
    hint: 'let its name end with .html or .json, or with / for a directory that keeps a report of each build',
  });
}

/** Reports that a directory keeps; older ones are removed. */
const MOST_KEPT = 200;
const KEPT_NAME = /^\d{8}T\d{6}Z-[a-z]+-\d+\.json$/;

/** Names in the order of time. */
function nameOf({ started, command }: Report): string {
  return `${started.slice(0, 19).replace(/[-:]/g, '')}Z-${command}-${process.pid}.json`;
}

/** What somebody else has put there stays, and what cannot be removed is no failure of a build. */
function removeOld(directory: string): void {
  try {
    const names = readdirSync(directory).filter((name) => KEPT_NAME.test(name));
    for (const name of names.sort().slice(0, -MOST_KEPT)) rmSync(join(directory, name), { force: true });
  } catch {
    // The next one tries again.
  }
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
