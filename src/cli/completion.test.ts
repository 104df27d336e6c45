import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchDir } from '../core/testing.ts';
import { completion, SHELLS } from './completion.ts';
import { COMMANDS, USAGE } from './help.ts';
import { manPages } from './man.ts';
import { optionsOf } from './options/table.ts';
import type { CommandName } from './options/types.ts';

const script = join(scratchDir('completion'), 'envbuilder.bash');
writeFileSync(script, completion('bash'));

/** What bash offers behind these words. */
function offered(...words: readonly string[]): readonly string[] {
  const program = [
    '. "$1"; shift',
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))',
    `_envbuilder envbuilder "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"`,
    `printf "%s\\n" "\${COMPREPLY[@]}"`,
  ].join('\n');
  const output = execFileSync('bash', ['-c', program, 'bash', script, 'envbuilder', ...words], {
    encoding: 'utf8',
    cwd: '/',
  });
  return output.split('\n').filter(Boolean);
}

test('bash completes commands, groups, flags and values with choices', () => {
  assert.deepEqual(offered('bu'), ['build']);
  assert.deepEqual(offered('cache', 'p'), ['prune']);
  assert.deepEqual(offered('build', '--cache-r'), ['--cache-repo']);
  assert.deepEqual(offered('cache', 'prune', '--older'), ['--older-than']);
  assert.deepEqual(offered('build', '--progress', 'p'), ['plain']);
  assert.deepEqual(offered('build', '.', '-f', 'et'), ['etc']);
  assert.deepEqual(offered('help', 'prob'), ['probe']);
  assert.deepEqual(offered('completion', ''), [...SHELLS]);
  for (const command of Object.keys(USAGE) as CommandName[]) {
    if (command === 'start') continue;
    const flags = optionsOf(command).map(({ name }) => `--${name}`);
    assert.deepEqual([...offered(...command.split(' '), '--')].sort(), [...flags, '--help'].sort(), command);
  }
});

test('the scripts for zsh and fish name every command and every flag', () => {
  for (const shell of ['zsh', 'fish']) {
    const text = completion(shell);
    for (const command of Object.keys(COMMANDS))
      for (const word of command.split(' ')) assert.ok(text.includes(word));
    for (const { name } of optionsOf('build'))
      assert.ok(
        text.includes(shell === 'fish' ? `-l ${name} ` : `--${name}`) || text.includes(`-l ${name}`),
        name,
      );
    // Every quote is closed.
    const quotes = text.replaceAll("\\'", '').match(/'/g)?.length ?? 0;
    assert.equal(quotes % 2, 0, shell);
  }
  assert.throws(() => completion('csh'), { code: 'USAGE' });
});

test('there is a page of the manual for each command, with all of its options', (t) => {
  const pages = manPages('1.2.3');
  assert.equal(pages.size, Object.keys(USAGE).length);
  for (const [file, text] of pages) {
    assert.match(text, /^\.TH ENVBUILDER[^\n]* 1 "" "envbuilder 1\.2\.3"/, file);
    for (const line of text.split('\n'))
      assert.ok(!/^[.'](?!(TH|SH|SS|TP|PP|B|BR|nf|fi)\b)/.test(line), `${file}: ${line}`);
  }
  for (const { name } of optionsOf('build'))
    assert.ok(pages.get('envbuilder-build.1')!.includes(name.replaceAll('-', '\\-')), name);
  const groff = spawnSync('groff', ['-man', '-Tascii', '-ww', '-z'], { input: pages.get('envbuilder.1')! });
  if (groff.error) return t.diagnostic('there is no groff here');
  assert.equal(groff.stderr.toString(), '');
});
