import { KEY_SCHEMA } from '../../plan/keys.ts';
import type { Plan, PlannedStage, Step } from '../../plan/types.ts';
import { type CauseFacts, type MissCause, type MissCode, missCause } from './causes.ts';
import { fileMarks, type Mark, type Parts, stepParts } from './parts.ts';
import { baseOf, markOf, saltMark, shortText, type Trace, type TraceStage, type TraceStep } from './trace.ts';

/** Compares the steps of a plan with a trace; a step's causes are none where its key is the same. */
export function createComparison(plan: Plan, trace: Trace): (step: Step) => Promise<readonly MissCause[]> {
  const mark = markOf(plan);
  const say = (code: MissCode, facts?: CauseFacts): MissCause => missCause(code, facts, trace.at);
  const stages = [...plan.stages.values()];
  const earlierStage = (stage: PlannedStage): TraceStage | undefined => trace.stages[stages.indexOf(stage)];
  const matches = new Map(
    stages.flatMap((stage) => [...matchSteps(stage.steps, earlierStage(stage)?.steps ?? [])]),
  );
  const whole = wholeCauses(trace, mark, say);
  /** What is other in what a stage starts from. */
  const belowCauses = (stage: PlannedStage): readonly MissCause[] => {
    const earlier = earlierStage(stage);
    if (!earlier) return [];
    const causes = baseCauses(plan, stage, earlier, mark, say);
    if (causes.length > 0 || stage.base.type !== 'stage') return causes;
    const base = plan.stages.get(stage.base.stage)!;
    const last = base.steps.at(-1);
    const same = last ? matches.get(last)?.key === last.key : belowCauses(base).length === 0;
    return same ? [] : [missCause('base-stage', { names: [base.name] })];
  };
  return async (step) => {
    if (whole.length > 0) return whole;
    const stage = plan.stages.get(step.stage)!;
    const earlier = matches.get(step);
    if (earlier?.key === step.key) return [say('record-gone')];
    const own = earlier ? await ownCauses(plan, step, earlier, mark, say) : [say('new-step')];
    const below = stage.steps[step.index - 1];
    if (below) {
      const same = matches.get(below);
      return same?.key === below.key ? orSomething(own, say) : [...own, stepBefore(below)];
    }
    return orSomething([...own, ...belowCauses(stage)], say);
  };
}

/** That a step lies on one that is made anew. */
export function stepBefore(below: Step): MissCause {
  return missCause('step-before', { what: firstLine(below.text) });
}

/** The first line of an instruction. */
export function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

type Say = (code: MissCode, facts?: CauseFacts) => MissCause;

/** What changes every key of a build. */
function wholeCauses(trace: Trace, mark: Mark, say: Say): readonly MissCause[] {
  if (trace.schema !== KEY_SCHEMA) return [say('key-schema')];
  return trace.salt === saltMark(mark) ? [] : [say('cache-salt')];
}

function orSomething(causes: readonly MissCause[], say: Say): readonly MissCause[] {
  return causes.length > 0 ? causes : [say('something-changed')];
}

/** The earlier step that each step stands for: one with the same text, else one of the same kind in its place. */
function matchSteps(steps: readonly Step[], earlier: readonly TraceStep[]): Map<Step, TraceStep> {
  const found = new Map<Step, TraceStep>();
  const taken = new Set<TraceStep>();
  const take = (step: Step, one: TraceStep | undefined): void => {
    if (!one || found.has(step) || taken.has(one)) return;
    found.set(step, one);
    taken.add(one);
  };
  const byText = new Map<string, TraceStep[]>();
  for (const one of earlier) byText.set(one.text, [...(byText.get(one.text) ?? []), one]);
  for (const step of steps) take(step, byText.get(shortText(step.text))?.shift());
  const kindOf = (text: string): string => text.split(/\s/, 1)[0]!.toUpperCase();
  for (const [index, step] of steps.entries()) {
    const one = earlier[index];
    if (one && kindOf(one.text) === kindOf(step.text)) take(step, one);
  }
  return found;
}

/** What is other in a stage's base itself; of a stage, only that it is another one. */
function baseCauses(
  plan: Plan,
  stage: PlannedStage,
  { base: was }: TraceStage,
  mark: Mark,
  say: Say,
): readonly MissCause[] {
  const is = baseOf(plan, stage, mark);
  if (is.name !== was.name) return [say('base-name', { was: was.name, is: is.name })];
  if (stage.base.type === 'stage') return [];
  if (is.layers !== was.layers)
    return [say('base-image', { names: [is.name], was: `${was.layers}…`, is: `${is.layers}…` })];
  const names = changes(is.parts, was.parts).map(({ part }) => part);
  return names.length === 0 ? [] : [say('base-settings', { names })];
}

async function ownCauses(
  plan: Plan,
  step: Step,
  earlier: TraceStep,
  mark: Mark,
  say: Say,
): Promise<readonly MissCause[]> {
  const named = new Map<MissCode, string[]>();
  const note = (code: MissCode, ...names: readonly string[]): void => {
    named.set(code, [...(named.get(code) ?? []), ...names]);
  };
  const now = stepParts(plan, step, mark);
  const all = changes(now, earlier.parts);
  let files = false;
  for (const { part, verb } of all) {
    const split = part.indexOf(' ');
    const [kind, name] = split < 0 ? [part, ''] : [part.slice(0, split), part.slice(split + 1)];
    if (kind === 'files') files = true;
    // A variable that comes or goes takes its place in the order with it.
    else if (kind === 'order') {
      if (!all.some((one) => /^(arg|env) /.test(one.part) && one.verb !== 'changed')) note('env-order');
    } else note(...codeOf(kind, name, verb));
  }
  if (files) for (const [code, names] of await fileCauses(step, earlier, mark)) note(code, ...names);
  return [...named].map(([code, names]) => say(code, names.length > 0 ? { names } : {}));
}

type Verb = 'changed' | 'added' | 'removed';

const LISTED = new Set(['arg', 'env', 'secret', 'ssh', 'mount']);
const NAMED = new Set(['url', 'git', 'inline', 'stage', 'image', 'mount-files']);
const PLAIN: Readonly<Record<string, MissCode>> = {
  command: 'command-changed',
  shell: 'shell-changed',
  script: 'script-changed',
  user: 'user-changed',
  workdir: 'workdir-changed',
  network: 'network-changed',
  security: 'security-changed',
  device: 'device-changed',
  hostname: 'hostname-changed',
  destination: 'destination-changed',
  chown: 'chown-changed',
  chmod: 'chmod-changed',
  link: 'link-changed',
  parents: 'parents-changed',
  exclude: 'exclude-changed',
  sources: 'sources-changed',
};

function codeOf(kind: string, name: string, verb: Verb): [MissCode, ...string[]] {
  if (LISTED.has(kind)) return [`${kind as 'arg'}-${verb}`, name];
  if (NAMED.has(kind)) return verb === 'changed' ? [`${kind as 'url'}-changed`, name] : ['sources-changed'];
  return [PLAIN[kind] ?? 'something-changed'];
}

async function fileCauses(
  step: Step,
  { files: earlier }: TraceStep,
  mark: Mark,
): Promise<readonly (readonly [MissCode, readonly string[]])[]> {
  const now = earlier && (await fileMarks(step, mark, earlier.depth).catch(() => undefined));
  const changed = now ? changes(now.files, earlier.files) : [];
  if (changed.length === 0) return [['files-changed', []]];
  return (['changed', 'added', 'removed'] as const).flatMap((verb) => {
    const names = changed.filter((one) => one.verb === verb).map(({ part }) => part);
    return names.length > 0 ? [[`file-${verb}`, names.sort()] as const] : [];
  });
}

/** The parts that differ. */
function changes(now: Parts, earlier: Parts): readonly { readonly part: string; readonly verb: Verb }[] {
  const found: { part: string; verb: Verb }[] = [];
  for (const [part, value] of Object.entries(now)) {
    if (!Object.hasOwn(earlier, part)) found.push({ part, verb: 'added' });
    else if (earlier[part] !== value) found.push({ part, verb: 'changed' });
  }
  for (const part of Object.keys(earlier))
    if (!Object.hasOwn(now, part)) found.push({ part, verb: 'removed' });
  return found;
}
