import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { DEFAULT_RETRY } from '../src/core/retry.ts';
import { type RegistryServer, startRegistryServer } from '../src/registry/server.ts';
import { type Cell, cacheMatrix, faultMatrix, type MatrixSetup, prepare } from './support/fault-matrix.ts';

let server: RegistryServer;
let setup: MatrixSetup;
before(async () => {
  const dir = temporaryDir('faults');
  server = await startRegistryServer({ root: join(dir, 'registry'), host: '127.0.0.1', port: 0 });
  setup = { dir, registry: new URL(server.url).host };
  await prepare(setup);
});
after(async () => {
  await server?.close(0);
  rmSync(setup.dir, { recursive: true, force: true });
});

/** Faults that pass: work goes on after one of them. */
const PASSING = ['401', '429', '500', '502', 'reset', 'truncated', 'slow'];
const MOST_RETRIES = 100;

test('each fault at each request of a build, a start, a probe and a warm', async () => {
  const cells = (await faultMatrix(setup)).filter(({ injected }) => injected > 0);
  process.stdout.write(`${table(cells)}\n`);
  const wrong = cells.filter(({ defect }) => defect !== undefined);
  assert.deepEqual(wrong.map(describe), []);
  const stopped = cells.filter(
    ({ often, fault, kind, error }) =>
      often === 'once' &&
      PASSING.includes(fault) &&
      // A token server that says so refuses the credentials.
      !(fault === '401' && kind === 'log in') &&
      error !== undefined,
  );
  assert.deepEqual(stopped.map(describe), []);
  // Whatever becomes of a cached layer, the step is carried out instead.
  const unbuilt = cells.filter(
    ({ work, often, kind, error }) =>
      work === 'start' && often === 'once' && kind === 'read a part' && error !== undefined,
  );
  assert.deepEqual(unbuilt.map(describe), []);
  const unbounded = cells.filter(
    ({ retries, attempts }) => retries > MOST_RETRIES || attempts > DEFAULT_RETRY.attempts,
  );
  assert.deepEqual(unbounded.map(describe), []);
  const silent = cells.filter(({ error }) => error !== undefined && !error.hint && error.message.length < 20);
  assert.deepEqual(silent.map(describe), []);
  assert.ok(cells.length > 200, `${cells.length} cells`);
});

test('no fault of a cache ends a build or a start, and a probe is a miss', async () => {
  const cells = (await cacheMatrix(setup)).filter(({ injected }) => injected > 0);
  process.stdout.write(`${table(cells)}\n`);
  const wrong = cells.filter(({ defect }) => defect !== undefined);
  assert.deepEqual(wrong.map(describe), []);
  const ended = cells.filter(({ work, error }) =>
    work === 'cached probe'
      ? error !== undefined && !['CACHE_MISS', 'NOT_PUSHED'].includes(error.code)
      : error !== undefined,
  );
  assert.deepEqual(ended.map(describe), []);
  assert.ok(cells.length > 300, `${cells.length} cells`);
});

function outcome({ error, retries }: Cell): string {
  const again = retries === 0 ? '' : ` after ${retries} retries`;
  return error === undefined ? `completed${again}` : `${error.code}${again}`;
}

function describe(cell: Cell): string {
  const { work, kind, fault, often, error, defect } = cell;
  return `${work}, ${fault} ${often} at "${kind}": ${defect ?? outcome(cell)} ${error?.message ?? ''}`;
}

function table(cells: readonly Cell[]): string {
  const rows = cells.map((cell) => [
    cell.work,
    cell.kind,
    cell.fault,
    cell.often,
    outcome(cell),
    `${(cell.ms / 1000).toFixed(1)} s`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
