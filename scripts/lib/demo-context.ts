import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PARTS = 200;
const RECORDS = 1800;

/**
 * Writes what the demo's Dockerfile copies: 200 C files with a Makefile and 1,800 data files, the same every time.
 * @param directory does not exist yet
 * @returns the number of files
 */
export function writeDemoContext(directory: string, dockerfile: string): number {
  mkdirSync(join(directory, 'parts'), { recursive: true });
  mkdirSync(join(directory, 'data'));
  copyFileSync(dockerfile, join(directory, 'Dockerfile'));
  for (let i = 0; i < PARTS; i += 1) {
    const text = `/* Part ${i} */\nint part_${i}(int x) { return x + ${i}; }\n`;
    writeFileSync(join(directory, 'parts', `part-${i}.c`), text);
  }
  for (let i = 0; i < RECORDS; i += 1) {
    const lines = Array.from(
      { length: 40 },
      (_, line) => `${i}.${line}: ${(i * 7919 + line * 104729) % 1_000_003}`,
    );
    writeFileSync(join(directory, 'data', `record-${i}.txt`), `${lines.join('\n')}\n`);
  }
  writeFileSync(join(directory, 'main.c'), mainSource());
  writeFileSync(join(directory, 'Makefile'), MAKEFILE);
  return PARTS + RECORDS + 3;
}

function mainSource(): string {
  const all = Array.from({ length: PARTS }, (_, i) => i);
  const declarations = all.map((i) => `int part_${i}(int);`).join('\n');
  const calls = all.map((i) => `  x = part_${i}(x);`).join('\n');
  return `#include <stdio.h>\n${declarations}\nint main(void) {\n  int x = 0;\n${calls}\n  printf("Built without Docker: %d\\n", x);\n  return 0;\n}\n`;
}

const MAKEFILE = `objects := $(patsubst %.c,%.o,$(wildcard parts/*.c) main.c)
app: $(objects)
\t$(CC) -o $@ $^
`;
