/*
 * `npm test`: all tests, on a machine that has nothing but Node, npm and root on Debian. Installs Debian's packages,
 * starts the services, runs the unit tests and the end-to-end tests, and stops the services.
 *   --unit          only the tests beside the code
 *   --only PATTERN  only tests whose name matches
 */
import { spawn } from 'node:child_process';
import { appendFileSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { bundledProgram, programVariable } from './lib/bundled-program.ts';
import { testCacheDir } from './lib/cache-dir.ts';
import { createCleanUp } from './lib/cleanup.ts';
import { ensurePackages } from './lib/debian.ts';
import { servicesVariable, startServices } from './lib/services.ts';
import { step } from './lib/shell.ts';
import { allowedSkips } from './lib/skips.ts';

const root = join(import.meta.dirname, '..');
const args = process.argv.slice(2);
const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : undefined;
const inCi = process.env.CI === 'true';

/** Files at once, where Node would run one after the other on two processors: with two, a quarter of the time was idle. */
const LEAST_AT_ONCE = 3;

/** Where Node keeps what our sources compile to, which each file of tests would do anew. */
const compiled = join(testCacheDir(), 'node-compile');

/** What each test said, as it ends: the messages of the failed ones are printed at the end only, which a run that is cut off has not. */
const told = join(root, 'node_modules/.cache/tests.tap');

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of these, the ones that are no failure in CI. */
  readonly allowed: number;
}

function runTests(patterns: readonly string[], env: NodeJS.ProcessEnv): Promise<Counts> {
  const files = globSync([...patterns], { cwd: root }).sort();
  const { promise, resolve } = Promise.withResolvers<Counts>();
  let tap = '';
  const flags = process.execArgv.filter((flag) => !flag.startsWith('--test'));
  const child = spawn(
    process.execPath,
    [
      ...flags,
      '--test',
      `--test-concurrency=${Math.max(LEAST_AT_ONCE, availableParallelism() - 1)}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=tap',
      '--test-reporter-destination=stderr',
      ...(only === undefined ? [] : [`--test-name-pattern=${only}`]),
      ...files,
    ],
    {
      cwd: root,
      env: { ...process.env, NODE_COMPILE_CACHE: compiled, ...env },
      stdio: ['ignore', 'inherit', 'pipe'],
    },
  );
  child.stderr.on('data', (chunk: Buffer) => {
    tap += chunk.toString();
    appendFileSync(told, chunk);
  });
  child.on('close', () => {
    const count = (name: string): number =>
      Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(tap)?.[1] ?? Number.NaN);
    const failed = count('fail') + count('cancelled');
    resolve({
      passed: count('pass'),
      failed: Number.isNaN(failed) ? 1 : failed,
      skipped: count('skipped') || 0,
      allowed: allowedSkips(tap),
    });
  });
  return promise;
}

const cleanUp = createCleanUp();
const results: Counts[] = [];
mkdirSync(dirname(told), { recursive: true });
rmSync(told, { force: true });
try {
  await ensurePackages([
    'zstd',
    'busybox-static',
    'tar',
    'gzip',
    'python3',
    'attr',
    'docker-registry',
    'skopeo',
    'openssl',
  ]);
  results.push(await runTests(['{src,scripts,bench}/**/*.test.ts', '{image,test/fuzz}/*.test.ts'], {}));
  if (!args.includes('--unit')) {
    const program = await step('Bundling the command line', () => bundledProgram(root));
    const services = await startServices(cleanUp);
    const env = { [servicesVariable]: JSON.stringify(services), [programVariable]: program };
    results.push(await runTests(['test/*.test.ts'], env));
  }
} finally {
  await cleanUp.run();
}
const sum = (of: (counts: Counts) => number): number => results.reduce((all, counts) => all + of(counts), 0);
const [passed, failed, skipped] = [sum((c) => c.passed), sum((c) => c.failed), sum((c) => c.skipped)];
process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
const refused = inCi && skipped > sum((c) => c.allowed);
if (refused) process.stdout.write('A skipped test counts as a failure here.\n');
process.exitCode = failed > 0 || passed === 0 || refused ? 1 : 0;
