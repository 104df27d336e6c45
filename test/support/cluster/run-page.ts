import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quoteWord } from '../../../src/core/shell-words.ts';
import { projectRoot } from '../envbuilder.ts';
import { BASE, type Fleet, GIT, GIT_PASSWORD, OTHER_BASE } from './fleet.ts';
import { type PageCommands, pageCommands } from './page-commands.ts';

/** Runs commands of pages as an operator does who has this cluster. */
export interface PageRunner {
  /**
   * Runs all blocks of a page, one behind the other.
   * @param namespace where objects are that name none
   * @param needs makes what a block says it needs, by its name
   * @param after what holds behind a block whose commands match a pattern
   */
  run(page: string, namespace: string, steps: PageSteps): Promise<void>;
  /** Runs one block, with other words in it. */
  block(commands: PageCommands, namespace: string, words?: Readonly<Record<string, string>>): Promise<string>;
}

export interface PageSteps {
  readonly needs?: Readonly<Record<string, () => Promise<unknown>>>;
  readonly after?: readonly (readonly [RegExp, (output: string) => unknown])[];
}

/** @param directory existing and empty: where the operator works */
export function createPageRunner(fleet: Fleet, directory: string, commit: string): PageRunner {
  const programs = join(directory, 'bin');
  mkdirSync(programs);
  const flags = fleet.flags.map(quoteWord).join(' ');
  writeFileSync(
    join(programs, 'envbuilder'),
    `#!/bin/sh\n[ "$1" = k8s ] && set -- "$@" ${flags}\nexec ${projectRoot}/envbuilder "$@"\n`,
  );
  chmodSync(join(programs, 'envbuilder'), 0o755);
  const host = GIT.replace('http://', '');
  const env = {
    GIT_TOKEN: GIT_PASSWORD,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `url.http://git:${GIT_PASSWORD}@${host}/.insteadOf`,
    GIT_CONFIG_VALUE_0: `${GIT}/`,
  };
  /** What stands in the pages for what somebody has. */
  const examples: Readonly<Record<string, string>> = {
    'https://git.example/team/app.git': `${GIT}/app.git`,
    'https://git.example/team/other.git': `${GIT}/app.git`,
    'debian:bookworm': BASE,
    'node:22': OTHER_BASE,
    '0123456789012345678901234567890123456789': commit,
  };
  const block: PageRunner['block'] = async ({ script, at }, namespace, words = {}) => {
    let text = script;
    for (const [from, to] of Object.entries({ ...examples, ...words })) text = text.replaceAll(from, to);
    const done = await fleet.cluster.shell(text, { cwd: directory, namespace, env, programs });
    assert.equal(done.code, 0, `${at} ended with ${done.code}:\n${done.stderr}${done.stdout}\n${text}`);
    return done.stdout.toString();
  };
  return {
    block,
    run: async (page, namespace, { needs = {}, after = [] }) => {
      const open = new Set(after);
      for (const commands of pageCommands(page)) {
        const { script, at, notRun, needs: need } = commands;
        if (notRun !== undefined) continue;
        if (need !== undefined)
          await (needs[need] ?? assert.fail(`${at} needs ${need}, which no test makes`))();
        const output = await block(commands, namespace);
        for (const step of open)
          if (step[0].test(script)) {
            open.delete(step);
            await step[1](output);
          }
      }
      assert.deepEqual(
        [...open].map(([pattern]) => String(pattern)),
        [],
        `${page} has lost commands`,
      );
    },
  };
}
