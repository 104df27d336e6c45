import { contextFiles, extraCommands, ignorePatterns } from './context-tables.ts';
import type { Random } from './random.ts';

const modes = ['600', '755', '4755', '2644', '444', '000', '1777', '777', '664'];

/** A shell script that fills an empty directory as a build context. */
export function contextScript(random: Random): string {
  const lines: string[] = [];
  for (const file of contextFiles) {
    if (!random.chance(0.75)) continue;
    if (file.includes('/')) lines.push(`mkdir -p ${quoted(file.slice(0, file.lastIndexOf('/')))}`);
    const content = file === 'empty' ? ':' : `echo ${quoted(`${file}-${random.int(1000)}`)}`;
    lines.push(`${content} > ${quoted(file)}`);
    if (random.chance(0.3)) lines.push(`chmod ${random.pick(modes)} ${quoted(file)}`);
    if (random.chance(0.1)) lines.push(`chown ${random.pick(['1000:1000', '5:6'])} ${quoted(file)}`);
  }
  lines.push('mkdir -p dir/sub other dir2 emptydir; touch a.txt');
  for (const [probability, command] of extraCommands) if (random.chance(probability)) lines.push(command);
  return `${lines.join('\n')}\n`;
}

/** The text of an ignore file. */
export function ignoreFile(random: Random): string {
  const lines = Array.from({ length: 1 + random.int(5) }, () => random.pick(ignorePatterns));
  return `${lines.join(random.chance(0.1) ? '\r\n' : '\n')}\n`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
