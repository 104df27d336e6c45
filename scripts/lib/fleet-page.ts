import {
  DAY_HOURS,
  type FleetDay,
  type FleetEnvironment,
  type FleetPlan,
  MORNING,
  START_SECONDS,
  type Strategy,
  simulateDay,
  UNPACK_RATE,
} from './fleet-simulation.ts';
import { intro, page, table } from './markdown.ts';

/** The first is the demo as docs/benchmarks.md has it; the second is what people mean by half an hour. */
const ENVIRONMENTS: readonly FleetEnvironment[] = [
  { name: 'small', megabytes: 342, changed: 0.02, buildSeconds: 21, rebuildSeconds: 3 },
  { name: 'large', megabytes: 1500, changed: 0.1, buildSeconds: 1800, rebuildSeconds: 240 },
];
const [, LARGE] = ENVIRONMENTS;

const NONE = { cache: false, prebuild: false, nodeCache: false, peers: false };
const STRATEGIES: readonly Strategy[] = [
  { ...NONE, name: 'no cache' },
  { ...NONE, name: 'layers', cache: true },
  { ...NONE, name: 'layers, prebuilt', cache: true, prebuild: true },
  { ...NONE, name: 'and node caches', cache: true, prebuild: true, nodeCache: true },
  { ...NONE, name: 'and peers', cache: true, prebuild: true, nodeCache: true, peers: true },
];
const [, LAYERS, PREBUILT, NODE_CACHES] = STRATEGIES;

/** Starts of a day, nodes, repositories, and commits to each. */
const FLEETS = [
  { starts: 500, nodes: 25, repositories: 20, commits: 10 },
  { starts: 5000, nodes: 250, repositories: 200, commits: 10 },
];
/** MB a second: 1 and 10 Gbit/s for the registry, 5 for a node. */
const REGISTRIES = [
  { name: '1 Gbit/s', rate: 125 },
  { name: '10 Gbit/s', rate: 1250 },
];
const NODE_RATE = 625;
/** US dollars, as large clouds ask for them: an hour of a core, and a GB between zones. For comparison only. */
const PRICES = { coreHour: 0.04, gigabyte: 0.01 };

/** The page of the simulation, computed anew. */
export function fleetPage(): string {
  return page([
    intro('A day of a fleet, simulated', '`scripts/lib/fleet-simulation.ts`'),
    'Which of prebuilds, node caches and peers does a fleet need? This page computes a day instead of guessing: it is a model with the figures below, not a measurement, and `scripts/lib/fleet-page.ts` is where to put in your own.',
    '## What goes in',
    table(
      ['environment', 'layers', 'of which a commit changes', 'a build', 'a build after a commit'],
      ENVIRONMENTS.map(({ name, megabytes, changed, buildSeconds, rebuildSeconds }) => [
        name,
        `${megabytes} MB`,
        `${changed * 100} %`,
        `${buildSeconds} s`,
        `${rebuildSeconds} s`,
      ]),
    ),
    [
      `- A start takes ${START_SECONDS} s besides its layers, and unpacks ${UNPACK_RATE} MB/s of them on two processors, both from [the benchmark](../benchmarks.md), whose demo \`small\` is. \`large\` is an assumption.`,
      `- ${MORNING * 100} % of a day's starts come in its first hour, the rest in the ${DAY_HOURS - 1} hours after it. Few repositories have most of them.`,
      `- A node takes ${NODE_RATE} MB/s. Transfers share it, and the registry, fairly.`,
      '- Starts of an environment that is being built wait for that one build, and whoever has built it fetches it like all others.',
      `- Money: $ ${PRICES.coreHour} an hour of a core, $ ${PRICES.gigabyte} a GB.`,
    ].join('\n'),
    '## What comes out',
    ...FLEETS.map((fleet) => fleetPart(fleet)),
    '## Where each begins to pay',
    breakEvens().join('\n'),
  ]);
}

function fleetPart(fleet: (typeof FLEETS)[number]): string {
  const { starts, nodes, repositories, commits } = fleet;
  const rows = ENVIRONMENTS.flatMap((environment) =>
    REGISTRIES.flatMap(({ name, rate }) =>
      STRATEGIES.map((strategy) => {
        const day = simulateDay({ ...fleet, environment, strategy, registryRate: rate, nodeRate: NODE_RATE });
        return [environment.name, name, strategy.name, ...cellsOf(day)];
      }),
    ),
  );
  const head = ['environment', 'registry', 'ways', 'median', 'p95', 'waited for a build'];
  return [
    `### ${starts.toLocaleString('en')} starts, ${nodes} nodes, ${repositories} repositories of ${commits} commits`,
    '',
    table([...head, 'from the registry', 'builds', 'money'], rows),
  ].join('\n');
}

function cellsOf(day: FleetDay | undefined): readonly string[] {
  if (!day) return ['overloaded', '–', '–', '–', '–', '–'];
  const { median, p95, waited, registryGigabytes, buildHours } = day;
  const money = buildHours * PRICES.coreHour + registryGigabytes * PRICES.gigabyte;
  return [
    seconds(median),
    seconds(p95),
    String(waited),
    `${Math.round(registryGigabytes)} GB`,
    `${buildHours.toFixed(1)} h`,
    `$ ${money.toFixed(2)}`,
  ];
}

function breakEvens(): readonly string[] {
  const [, fleet] = FLEETS;
  const plan = (strategy: Strategy, more: Partial<FleetPlan> = {}): FleetPlan => ({
    ...fleet!,
    environment: LARGE!,
    strategy,
    registryRate: REGISTRIES[1]!.rate,
    nodeRate: NODE_RATE,
    ...more,
  });
  const layers = simulateDay(plan(LAYERS!))!;
  const prebuilt = simulateDay(plan(PREBUILT!))!;
  const more = (prebuilt.buildHours - layers.buildHours) * PRICES.coreHour;
  const fewer = layers.waited - prebuilt.waited;
  const saved = (fewer * LARGE!.rebuildSeconds) / 2 / 3600;
  const least = more / saved;

  const limit = ({ megabytes }: FleetEnvironment, rate: number): string =>
    (Math.floor((rate * 3600) / (MORNING * megabytes) / 10) * 10).toLocaleString('en');
  const limits = ENVIRONMENTS.map(
    (each) =>
      `${REGISTRIES.map(({ name, rate }) => `${limit(each, rate)} at ${name}`).join(' and ')} (${each.name})`,
  );

  const share = (perNode: number): number => {
    const nodes = Math.round(fleet!.starts / perNode);
    const day = simulateDay(plan(NODE_CACHES!, { nodes, repositories: 20 }))!;
    return 1 - day.registryGigabytes / ((fleet!.starts * LARGE!.megabytes) / 1000);
  };
  const shares = [5, 20, 80].map((perNode) => `${Math.round(share(perNode) * 100)} % with ${perNode}`);
  return [
    `- **The shared cache** pays with the second start of an environment: \`large\` takes ${LARGE!.buildSeconds} s to build, and ${seconds(LARGE!.megabytes / UNPACK_RATE + START_SECONDS)} to fetch.`,
    `- **Prebuilds** build what perhaps nobody starts: ${(prebuilt.buildHours - layers.buildHours).toFixed(1)} h of a core more a day for \`large\` in the larger fleet. ${fewer.toLocaleString('en')} starts wait no more for a build, half of it each, so that they pay where an hour of waiting is worth more than $ ${least.toFixed(2)}: wherever people wait.`,
    `- **A faster registry, or peers,** are needed where the first hour asks for more than the registry sends. That is from ${limits.join(', ')} starts a day. Node caches put it off; peers make it depend on the number of environments and not of starts.`,
    `- **Node caches** pay where a node sees an environment again. Of the bytes of \`large\` with 20 repositories they save ${shares.join(', ')} starts a day on each node. Where nodes are new each day, or have a few starts each, a faster registry is the better buy.`,
  ];
}

function seconds(value: number): string {
  return value < 100 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}
