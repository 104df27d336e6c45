import type { SourceRange } from '../../core/error.ts';
import type { CheckWarning, DockerfileCheck } from '../../index.ts';
import { base64, location } from './locations.ts';

/** What a check found, in the shape of BuildKit's `frontend.lint`. */
export function checkJson({ file, content, warnings, error }: DockerfileCheck): object {
  return {
    warnings: warnings.map(({ rule, description, url, text, range }) => ({
      ruleName: rule,
      description,
      ...(url === undefined ? {} : { url }),
      detail: text,
      location: location(range),
    })),
    sources: [{ filename: file, language: 'Dockerfile', data: base64(content) }],
    ...(error ? { buildError: { message: error.message, location: location(error.where!.range!) } } : {}),
  };
}

/** What a check found, for people: a line with the number, and each finding with the lines around it. */
export function checkText({ content, warnings, error }: DockerfileCheck): string {
  const lines = content.replace(/\r?\n$/, '').split(/\r?\n/);
  const parts = [`${headline(warnings.length)}\n`, ...warnings.map((warning) => warningText(warning, lines))];
  if (error) parts.push(`ERROR: ${error.message}\n${frame(error.where!.range!, lines)}`);
  return parts.join('\n');
}

function headline(count: number): string {
  if (count === 0) return 'Check complete: no warnings.';
  return `Check complete: ${count === 1 ? '1 warning' : `${count} warnings`}.`;
}

function warningText({ rule, url, origin, text, range }: CheckWarning, lines: readonly string[]): string {
  const about = url ?? (origin === 'ours' ? 'a rule of envbuilder' : undefined);
  return `WARNING: ${rule}${about === undefined ? '' : ` - ${about}`}\n${text}\n${frame(range, lines)}`;
}

/** Lines that are shown around a place. */
const AROUND = 2;

function frame({ file, start, end }: SourceRange, lines: readonly string[]): string {
  const rule = '-'.repeat(20);
  const first = Math.max(1, start.line - AROUND);
  const last = Math.min(lines.length, end.line + AROUND);
  const shown: string[] = [];
  for (let line = first; line <= last; line += 1) {
    const mark = line >= start.line && line <= end.line ? '>>>' : '   ';
    shown.push(`${String(line).padStart(4)} | ${mark} ${lines[line - 1]}`);
  }
  return [`${file}:${start.line}`, rule, ...shown, rule, ''].join('\n');
}
