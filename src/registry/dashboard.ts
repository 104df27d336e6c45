import { METRICS, type MetricName } from './metric-names.ts';

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly uses: readonly MetricName[];
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
}

const { requests, duration, inFlight, received, sent } = METRICS;
const { diskSize, diskAvailable, collections, freed, kept } = METRICS;
const PODS = '{namespace=~"$namespace"}';

const rate = ({ name }: { readonly name: string }, by: string): string =>
  `sum by (${by}) (rate(${name}${PODS}[$__rate_interval]))`;

const PANELS: readonly Panel[] = [
  {
    title: 'Requests',
    unit: 'reqps',
    uses: ['requests'],
    queries: [{ expr: rate(requests, 'route, method'), legend: '{{method}} {{route}}' }],
  },
  {
    title: 'Answers that are errors',
    unit: 'reqps',
    uses: ['requests'],
    queries: [
      {
        expr: `sum by (status) (rate(${requests.name}{namespace=~"$namespace",status=~"0|4..|5.."}[$__rate_interval]))`,
        legend: '{{status}}',
      },
    ],
  },
  {
    title: 'Time of 95 of 100 requests',
    unit: 's',
    uses: ['duration'],
    queries: [
      {
        expr: `histogram_quantile(0.95, sum by (le, route) (rate(${duration.name}_bucket${PODS}[$__rate_interval])))`,
        legend: '{{route}}',
      },
    ],
  },
  {
    title: 'Requests under way',
    unit: 'short',
    uses: ['inFlight'],
    queries: [{ expr: `sum(${inFlight.name}${PODS})`, legend: 'requests' }],
  },
  {
    title: 'Bytes',
    unit: 'Bps',
    uses: ['received', 'sent'],
    queries: [
      { expr: rate(received, 'job'), legend: 'received' },
      { expr: rate(sent, 'job'), legend: 'sent' },
    ],
  },
  {
    title: 'Disk',
    unit: 'bytes',
    uses: ['diskSize', 'diskAvailable', 'kept'],
    queries: [
      { expr: `max(${diskSize.name}${PODS})`, legend: 'size' },
      { expr: `max(${diskAvailable.name}${PODS})`, legend: 'free' },
      { expr: `max(${kept.name}${PODS})`, legend: 'in use by the registry' },
    ],
  },
  {
    title: 'Garbage collections in a day',
    unit: 'short',
    uses: ['collections'],
    queries: [{ expr: `sum by (outcome) (increase(${collections.name}${PODS}[1d]))`, legend: '{{outcome}}' }],
  },
  {
    title: 'Bytes that they removed in a day',
    unit: 'bytes',
    uses: ['freed'],
    queries: [{ expr: `sum(increase(${freed.name}${PODS}[1d]))`, legend: 'removed' }],
  },
];

const DATASOURCE = { type: 'prometheus', uid: '$datasource' } as const;
const SIZE = { width: 12, height: 8 };

/** A dashboard of Grafana for the served registry, to be imported as JSON. */
export function registryDashboard(): Readonly<Record<string, unknown>> {
  return {
    title: 'envbuilder registry',
    uid: 'envbuilder-registry',
    schemaVersion: 39,
    tags: ['envbuilder'],
    time: { from: 'now-6h', to: 'now' },
    refresh: '1m',
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        {
          name: 'namespace',
          type: 'query',
          datasource: DATASOURCE,
          query: { query: `label_values(${inFlight.name}, namespace)`, refId: 'namespace' },
          refresh: 2,
          includeAll: true,
          allValue: '.*',
        },
      ],
    },
    panels: PANELS.map(({ title, unit, uses, queries }, i) => ({
      id: i + 1,
      type: 'timeseries',
      title,
      description: uses.map((name) => `${METRICS[name].help}.`).join(' '),
      datasource: DATASOURCE,
      gridPos: {
        x: (i % 2) * SIZE.width,
        y: Math.floor(i / 2) * SIZE.height,
        w: SIZE.width,
        h: SIZE.height,
      },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: queries.map(({ expr, legend }, j) => ({
        refId: String.fromCharCode(65 + j),
        datasource: DATASOURCE,
        expr,
        legendFormat: legend,
      })),
    })),
  };
}
