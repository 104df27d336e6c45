import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { run } from '../../scripts/lib/shell.ts';
import { openScreen } from './screen.ts';

/** Says what terminal it has and when its size changes, and ends in its own way when it is interrupted. */
const COMMAND = `tty; stty size; echo opened > /dev/tty
trap 'echo now $(stty size)' WINCH
trap 'echo interrupted; exit 4' INT
echo ready
sleep 1000 &
while :; do wait $!; done`;

/**
 * Runs commands of `envbuilder exec` at a terminal: they have one of their own, of our size, and what happens at ours happens
 * at theirs.
 * @param exec the command line, up to the command @param dir for a script, which whoever runs it can read
 */
export async function tryTerminal(t: TestContext, exec: readonly string[], dir: string): Promise<void> {
  const [script, command] = [join(dir, 'at-terminal'), join(dir, 'command')];
  const quoted = exec.map((word) => `'${word}'`).join(' ');
  writeFileSync(command, COMMAND);
  writeFileSync(
    script,
    `before=$(stty -g)
${quoted} sh -c "$(cat ${command})"; echo "code $?"
[ "$before" = "$(stty -g)" ] && echo restored
${quoted} sh; echo "code $?"
[ "$before" = "$(stty -g)" ] && echo as before
echo piped | ${quoted} sh -c 'tty; cat'
`,
  );
  await run('chmod', ['755', script, command]);
  const screen = await openScreen(t, { columns: 80, rows: 24 });
  const [program = '', ...args] = screen.under;
  await run(program, [...args, 'sh', script]);
  const begun = await screen.waitFor('the command runs', (text) => /^ready$/m.test(text));
  assert.match(begun, /^\/dev\/pts\/\d+\n24 80\nopened\n/m);
  await screen.resize(100, 30);
  await screen.waitFor('it is told of the size', (text) => /^now 30 100$/m.test(text));
  await screen.press('C-c');
  await screen.waitFor('it is interrupted', (text) => /interrupted\n(?:.*\n)*code \d+\n/.test(text));
  assert.match(
    await screen.waitFor('the shell asks', (text) => /[#$] *$/.test(text)),
    /interrupted\ncode 4\nrestored\n/,
  );
  await screen.type('echo begun; sleep 3000');
  await screen.waitFor('it sleeps', (text) => /^begun$/m.test(text));
  await screen.press('C-c');
  await screen.type('echo after-$?; exit 9');
  const end = await screen.end();
  assert.match(end, /^after-130\ncode 9\nas before\nnot a tty\npiped$/m, end);
}
