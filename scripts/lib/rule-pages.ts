import { BUILDER_ARGS } from '../../src/dockerfile/builder-args.ts';
import { EXAMPLES } from '../../src/dockerfile/lint/examples.ts';
import { pageOf, RULES } from '../../src/dockerfile/lint/rules.ts';
import type { LintRule } from '../../src/dockerfile/lint/types.ts';
import { code, intro, page, plain, table } from './markdown.ts';

const DIRECTORY = 'docs/reference/lint-rules';

/** The pages about checks of Dockerfiles and about build arguments for the builder: their text by path. */
export function rulePages(): readonly (readonly [string, string])[] {
  return [
    ['docs/reference/lint-rules.md', rulesPage()],
    ...RULES.map((rule) => [`${DIRECTORY}/${pageOf(rule.name)}.md`, rulePage(rule)] as const),
    ['docs/reference/build-arguments.md', buildArgumentsPage()],
  ];
}

function rulesPage(): string {
  return page([
    intro('Lint rules', 'the rules in src/dockerfile/lint/rules.ts'),
    'Every build and probe checks the Dockerfile against these rules, of all stages that are built. A finding is a warning that names its rule and its line. `envbuilder build --check` only checks, all stages or those that `--target` needs: it prints what it found and ends with 22 when there was anything, `--call=check,format=json` in the JSON of `docker build --call=check,format=json`. The names are those of the checks of BuildKit, so directives written for Docker work here:',
    [
      '- `# check=skip=Rule,Rule` at the top of the file turns rules off; `skip=all` turns off every one.',
      '- The same comment right above an instruction turns them off for that instruction.',
      '- `# check=experimental=Rule,Rule` turns on rules that are off by themselves, and `experimental=all` all of them.',
      '- `# check=error=true` at the top makes any finding an error of the Dockerfile, except those of rules that are ours alone.',
      '- `--build-arg BUILDKIT_DOCKERFILE_CHECK=skip=Rule;error=true` counts instead of what stands at the top of the file.',
    ].join('\n'),
    table(
      ['rule', 'whose', 'what it says'],
      RULES.map(({ name, origin, doc }) => [
        `[${code(name)}](lint-rules/${pageOf(name)}.md)`,
        WHOSE[origin],
        plain(doc),
      ]),
    ),
  ]);
}

const WHOSE = { buildkit: "Docker's", ours: 'ours' } as const;

function rulePage({ name, doc, origin, experimental, inStages }: LintRule): string {
  const { bad, good, ignore, directive, options } = EXAMPLES[name]!;
  const file = (text: string): string => {
    const whole = directive === undefined ? text : `${directive}\n${text}`;
    return `\`\`\`dockerfile\n${whole}\`\`\``;
  };
  const facts = [
    origin === 'ours' &&
      'The rule is ours: Docker has none like it, and `error=true` does not make it an error.',
    experimental && `It is off unless \`# check=experimental=${name}\` turns it on.`,
    inStages && 'Only stages that are built count.',
  ].filter(Boolean);
  const given = [
    ignore === undefined ? [] : [`With this \`.dockerignore\`:`, `\`\`\`text\n${ignore}\`\`\``],
    options === undefined ? [] : [`With \`${options}\`.`],
  ].flat();
  return page([
    intro(name, 'src/dockerfile/lint'),
    plain(doc),
    ...(facts.length > 0 ? [facts.join(' ')] : []),
    ...given,
    '## Bad',
    file(bad),
    '## Good',
    file(good),
    `${experimental ? '' : `To turn it off: \`# check=skip=${name}\`. `}All rules: [Lint rules](../lint-rules.md).`,
  ]);
}

function buildArgumentsPage(): string {
  return page([
    intro('Build arguments for the builder', 'src/dockerfile/builder-args.ts'),
    'These build arguments mean something without an ARG that declares them; any other one that no ARG declares is a [warning](lint-rules/unused-build-arg.md). **works** means as under Docker, **differs** that there is a difference, which is named, and **no effect** that they are taken and do nothing. The predefined arguments for proxies (`HTTP_PROXY` and so on) and for platforms (`TARGETPLATFORM` and so on) are those of the Dockerfile reference.',
    table(
      ['argument', 'here', 'what it does'],
      BUILDER_ARGS.map(({ name, support, text }) => [code(name), support, plain(text)]),
    ),
  ]);
}
