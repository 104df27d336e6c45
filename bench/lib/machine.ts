import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** What the figures depend on. */
export function machine(): string {
  const model = /^model name\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch;
  const processors = readFileSync('/proc/cpuinfo', 'utf8').match(/^processor/gm)?.length ?? 1;
  const memory = Number(/^MemTotal:\s*(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  return `${model}, ${processors} processors, ${Math.round(memory / 1024 / 1024)} GiB, Linux ${kernel}`;
}

/** The first line that each program says of its version. */
export function versionLines(programs: readonly string[]): readonly string[] {
  return programs
    .filter((program) => existsSync(`/usr/bin/${program}`))
    .map((program) => execFileSync(program, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '')
    .map((line) => line.replaceAll('*', '').trim());
}
