/*
 * Process 1 of a container that own-container.ts makes: runs one build in place as ENVBUILDER_TEST_JOB says, and writes what
 * came of it to a file. Rights beyond Docker's default ones are given up first.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DOCKER_CAPABILITIES } from '../../src/sys/capabilities.ts';
import { MNT_DETACH } from '../../src/sys/constants.ts';
import { createSyscalls } from '../../src/sys/syscalls.ts';
import type { ContainerJob, ContainerOutcome } from './own-container.ts';

/** mount(2): make a mount shared. */
const MS_SHARED = 1 << 20;

const file = process.env.ENVBUILDER_TEST_JOB!;
const job = JSON.parse(readFileSync(file, 'utf8')) as ContainerJob;
const syscalls = createSyscalls();
if (process.env.ENVBUILDER_TEST_ENTERED === undefined) {
  syscalls.umount('.', MNT_DETACH);
  if (job.shareRoot) syscalls.mount('', '/', '', MS_SHARED);
}
if ((syscalls.effectiveCapabilities() >> 21n) & 1n && !job.privileged) {
  syscalls.setCapabilities(DOCKER_CAPABILITIES);
  process.execve!(process.execPath, [process.execPath, ...process.execArgv, import.meta.filename], {
    ...process.env,
    ENVBUILDER_TEST_ENTERED: '1',
  });
}
const outcome = await main();
writeFileSync(`${file}.out`, JSON.stringify({ ...outcome, canary: existsSync('/canary/bird') }));
process.exit(0);

async function main(): Promise<ContainerOutcome> {
  const { assertSafe } = await import('../../src/rootfs/inplace/guard.ts');
  const { commandFiles } = await import('../../src/cli/requests/command-request.ts');
  const { makeRequest } = await import('../../src/cli/requests/build-request.ts');
  const { parseOptions } = await import('../../src/cli/options/parse.ts');
  const { createRedactor } = await import('../../src/report/redact.ts');
  const { runBuild } = await import('../../src/builder/build.ts');
  const { hideProcess } = await import('../../src/sys/hide-process.ts');
  const ownDir = '/.envbuilder';
  const env = { HOME: `${ownDir}/home`, PATH: '/usr/bin:/bin', ...job.env };
  const output: string[] = [];
  let extractions = 0;
  const emit = (event: { readonly type: string; readonly text?: string; readonly phase?: string }): void => {
    if (event.type === 'phase' && event.phase === 'extract') extractions += 1;
    if (event.type === 'step-output') output.push(event.text ?? '');
    if (event.type === 'warning') output.push(`${event.text}\n`);
  };
  try {
    hideProcess('envbuilder');
    assertSafe({ ownDir, kanikoDir: job.kanikoDir ?? ownDir, force: false });
    const parsed = parseOptions('build', job.args, env);
    const request = makeRequest(parsed, commandFiles(parsed, '/'), {
      env,
      cwd: '/',
      redactor: createRedactor(),
    });
    const result = await runBuild(
      {
        ...request,
        workDir: `${ownDir}/work`,
        stateDir: `${ownDir}/state`,
        backend: { kind: 'inplace', root: '/', ownDir, keep: job.keep ?? [] },
        outputs: [...request.outputs, { type: 'inplace' }],
      },
      { emit, signal: new AbortController().signal },
    );
    return { result, output: output.join(''), extractions };
  } catch (error) {
    const { code, message, stack } = error as Error & { readonly code?: string };
    return { error: { code: code ?? '', message, stack: stack ?? '' }, output: output.join(''), extractions };
  }
}
