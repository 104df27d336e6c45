import { resolveTarget } from '../../dockerfile/graph.ts';
import { parseDockerfile } from '../../dockerfile/parse/parse.ts';
import type { Dockerfile, Stage } from '../../dockerfile/types.ts';
import { SCRIPT } from './install-contexts.ts';
import { INSTALL_ROOT, MOUNT_POINT } from './install-script.ts';

export interface Installation {
  /** The name of the context with its files. */
  readonly context: string;
  readonly containerEnv: Readonly<Record<string, string>>;
}

export interface ExtendRequest {
  readonly text: string;
  readonly file: string;
  readonly target?: string;
  /** The context of the step that looks up the users. */
  readonly users: string;
  readonly features: readonly Installation[];
  /** Set again afterwards. */
  readonly user: string;
}

/**
 * A Dockerfile with one more stage, which starts from the target and installs features as root, a RUN for each.
 * @returns the name of the new stage as target
 * @throws AppError DOCKERFILE
 */
export function extendDockerfile(request: ExtendRequest): { readonly text: string; readonly target: string } {
  const dockerfile = parseDockerfile(request.text, request.file);
  const stage = dockerfile.stages[resolveTarget(dockerfile, request.target)]!;
  const base = baseName(dockerfile, stage);
  const target = freeName(dockerfile, 'dev-container');
  const lines = [
    `FROM ${base.name} AS ${target}`,
    'USER root',
    run(request.users),
    ...request.features.flatMap(({ context, containerEnv }) => [
      ...environment(containerEnv, dockerfile.escape),
      run(context),
    ]),
    `RUN rm -rf ${INSTALL_ROOT}`,
    `USER ${literal(request.user, dockerfile.escape)}`,
  ];
  return { text: `${base.text.replace(/\n*$/, '\n')}\n${lines.join('\n')}\n`, target };
}

function run(context: string): string {
  return `RUN --mount=type=bind,from=${context},target=${MOUNT_POINT} /bin/sh ${MOUNT_POINT}/${SCRIPT}`;
}

/** A name by which the target can be built upon, and the text in which it has it. */
function baseName(dockerfile: Dockerfile, stage: Stage): { readonly name: string; readonly text: string } {
  const { from, index } = stage;
  const text = dockerfile.lines.join('\n');
  const last = dockerfile.stages.findLast((other) => other.from.name === from.name)!;
  if (from.name !== undefined && last.index === index) return { name: from.name, text };
  if (from.name !== undefined) {
    // A later stage took its name; nothing that follows is needed to build it.
    const next = dockerfile.stages[index + 1]!.from.range.start.line;
    return { name: from.name, text: dockerfile.lines.slice(0, next - 1).join('\n') };
  }
  const name = freeName(dockerfile, 'dev-container-base');
  const { line, column } = from.range.end;
  const lines = dockerfile.lines.map((each, i) =>
    i === line - 1 ? `${each.slice(0, column - 1)} AS ${name}${each.slice(column - 1)}` : each,
  );
  return { name, text: lines.join('\n') };
}

function freeName({ stages }: Dockerfile, wanted: string): string {
  const taken = new Set(stages.map(({ from }) => from.name));
  let name = wanted;
  for (let i = 2; taken.has(name); i += 1) name = `${wanted}-${i}`;
  return name;
}

/** ENV instructions; variables in a value are those of the image, as in the reference implementation. */
function environment(containerEnv: Readonly<Record<string, string>>, escapeChar: string): string[] {
  return Object.entries(containerEnv).map(
    ([name, value]) => `ENV ${name}="${value.replace(/["\\]/g, (char) => escaped(char, escapeChar))}"`,
  );
}

function escaped(char: string, escapeChar: string): string {
  // Where the escape character is a backtick, a backslash is an ordinary one.
  return char === '\\' && escapeChar !== '\\' ? char : `${escapeChar}${char}`;
}

function literal(text: string, escapeChar: string): string {
  return text.replaceAll('$', `${escapeChar}$`);
}
