import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import { type Schema, schemaProblems } from '../core/json-schema.ts';
import { createJsonReporter } from './json.ts';
import { createRedactor } from './redact.ts';

const path = join(import.meta.dirname, '../../docs/reference/progress.schema.json');
const { oneOf } = JSON.parse(readFileSync(path, 'utf8')) as { readonly oneOf: readonly Schema[] };

const id = { stage: 0, step: 1 };
const range = { file: '/Dockerfile', start: { line: 1, column: 1 }, end: { line: 1, column: 5 } };

/** Each kind of event with every field that it may have: another kind or field does not compile without a sample. */
const EVENTS: { readonly [T in Event['type']]: Required<Extract<Event, { readonly type: T }>> } = {
  phase: { type: 'phase', phase: 'plan', ms: 1.5 },
  'step-planned': { type: 'step-planned', id, stageName: 'a', text: 'RUN x', range },
  'step-waiting': { type: 'step-waiting', id, ms: 1, stage: 'a' },
  'step-started': { type: 'step-started', id },
  'step-output': { type: 'step-output', id, stream: 'stdout', text: 'x\n' },
  'step-finished': { type: 'step-finished', id, outcome: 'built', ms: 1, key: 'sha256:1', reason: 'x' },
  'step-layer': { type: 'step-layer', id, digest: 'sha256:1', bytes: 1 },
  progress: { type: 'progress', what: 'x', done: 1, total: 2, unit: 'objects' },
  transfer: { type: 'transfer', direction: 'pull', digest: 'sha256:1', bytes: 1, expected: 1 },
  retry: { type: 'retry', what: 'x', attempt: 1, delayMs: 1, reason: 'x' },
  message: { type: 'message', level: 'info', text: 'x', image: 'x' },
  warning: { type: 'warning', code: 'x', rule: true, text: 'x', hint: 'x', range },
  error: { type: 'error', error: new AppError('USAGE', 'x', { hint: 'x', where: { path: '/x' } }) },
};

test('each line of --progress json is what its schema says', () => {
  const lines: string[] = [];
  const reporter = createJsonReporter({
    mode: 'json',
    err: { write: (text: string) => lines.push(text) },
    verbose: false,
    color: false,
    redactor: createRedactor(),
    readLine: () => undefined,
  });
  for (const event of Object.values(EVENTS)) reporter.emit(event);
  reporter.close();
  const records = lines.map((line) => JSON.parse(line) as { readonly type: string });
  const types = records.map(({ type }) => type);
  assert.deepEqual([...types].sort(), [...Object.keys(EVENTS), 'summary'].sort());
  assert.equal(oneOf.length, types.length);
  for (const record of records) {
    const schema = oneOf.find(({ properties }) => properties?.type?.const === record.type);
    assert.ok(schema, record.type);
    assert.deepEqual(schemaProblems(record, schema), [], record.type);
    assert.notDeepEqual(schemaProblems({ ...record, more: 1 }, schema), []);
    // Nothing in the schema is left over.
    assert.deepEqual(Object.keys(record).sort(), Object.keys(schema.properties ?? {}).sort());
  }
});
