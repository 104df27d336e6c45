import { resolveBase } from '../graph.ts';
import type { Unit } from '../parse/unit.ts';
import type { Finding, LintInput, LintRule } from './types.ts';

/** Rules about what instructions do in a stage. */
export const commandRules: readonly LintRule[] = [
  {
    name: 'JSONArgsRecommended',
    doc: 'CMD and ENTRYPOINT should be JSON lists: a shell in between does not pass signals on.',
    origin: 'buildkit',
    inStages: true,
    check: (input) =>
      input.units.flatMap((unit) => {
        const { node } = unit;
        if ((node.kind !== 'cmd' && node.kind !== 'entrypoint') || node.command.form === 'exec') return [];
        if (chainUnits(input, unit).some((one) => one.node.kind === 'shell')) return [];
        return { unit, text: `${node.kind.toUpperCase()} as a JSON list would receive signals itself` };
      }),
  },
  {
    name: 'MultipleInstructionsDisallowed',
    doc: 'Of several CMD, ENTRYPOINT or HEALTHCHECK in a stage only the last one counts.',
    origin: 'buildkit',
    inStages: true,
    check: ({ units }) =>
      units.flatMap((unit, index) => {
        const { kind } = unit.node;
        if (kind !== 'cmd' && kind !== 'entrypoint' && kind !== 'healthcheck') return [];
        const later = units
          .slice(index + 1)
          .some((one) => one.stage === unit.stage && one.node.kind === kind);
        return later ? { unit, text: `a later ${kind.toUpperCase()} of this stage replaces this one` } : [];
      }),
  },
  {
    name: 'ExposeProtoCasing',
    doc: 'The protocol in EXPOSE should be in lower case.',
    origin: 'buildkit',
    inStages: true,
    check: ({ units }) =>
      ports(units, (port) => {
        const protocol = port.split('/')[1] ?? '';
        const known = ['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase());
        return known && protocol !== protocol.toLowerCase()
          ? `the protocol in "${port}" should be in lower case`
          : undefined;
      }),
  },
  {
    name: 'ExposeInvalidFormat',
    doc: 'EXPOSE takes ports of the container only, no addresses and no ports of the host.',
    origin: 'buildkit',
    inStages: true,
    check: ({ units }) =>
      ports(units, (port) =>
        !port.includes('$') && port.includes(':')
          ? `"${port}" names an address or a port of the host`
          : undefined,
      ),
  },
];

/** The units before `unit` in its stage and in the stages that it is built from, nearest last. */
function chainUnits({ dockerfile, units }: LintInput, unit: Unit): Unit[] {
  const own = units.slice(0, units.indexOf(unit)).filter(({ stage }) => stage === unit.stage);
  const from = dockerfile.stages[unit.stage];
  const base = from && resolveBase(dockerfile, from.index, from.from.image);
  if (base?.type !== 'stage') return own;
  const last = units.findLast(({ stage }) => stage === base.stage)!;
  return [...chainUnits({ dockerfile, units }, last), last, ...own];
}

function ports(units: readonly Unit[], judge: (port: string) => string | undefined): Finding[] {
  return units.flatMap((unit) => {
    if (unit.node.kind !== 'expose') return [];
    return unit.node.ports.flatMap((port) => {
      const text = judge(port);
      return text === undefined ? [] : { unit, text };
    });
  });
}
