import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { median, program } from './measure.ts';

const STARTS = 9;

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

/** The average of the last minute. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

/** Milliseconds of processor time for the start of the command line, the median of some. */
export async function startCpu(): Promise<number> {
  const cli = await program();
  const times: number[] = [];
  for (let i = 0; i < STARTS; i += 1) {
    const script = `"$0" --version > /dev/null; times`;
    const said = execFileSync('/bin/bash', ['-c', script, cli], { encoding: 'utf8' });
    const children = said.trim().split('\n').at(-1) ?? '';
    const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
    times.push(parts.reduce((sum, [, m, s]) => sum + Number(m) * 60_000 + Number(s) * 1000, 0));
  }
  return median(times);
}
