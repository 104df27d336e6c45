import type { OnbuildInstruction } from '../types.ts';
import { rejectFlags } from './flags.ts';
import { fail, innerStatement, keywordOf, nodeOf, type Statement } from './statement.ts';

const FORBIDDEN: ReadonlySet<string> = new Set(['onbuild', 'from', 'maintainer']);

/** `ONBUILD instruction`; `check` parses the instruction as if it stood alone, so that its errors show now. */
export function parseOnbuild(statement: Statement, check: (inner: Statement) => unknown): OnbuildInstruction {
  rejectFlags(statement);
  if (statement.rest.text === '')
    fail(statement, undefined, 'ONBUILD needs an instruction', 'write ONBUILD RUN command');
  const inner = innerStatement(statement);
  if (FORBIDDEN.has(keywordOf(inner))) {
    fail(
      statement,
      inner.keyword,
      `ONBUILD cannot hold ${inner.keyword.text.toUpperCase()}`,
      'write the instruction itself',
    );
  }
  check(inner);
  const documents = statement.heredocs.map((doc) => `\n${doc.content}${doc.name}`);
  return { kind: 'onbuild', ...nodeOf(statement), trigger: [nodeOf(inner).text, ...documents].join('') };
}
