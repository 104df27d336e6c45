import { statfs } from 'node:fs/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type MetricName, type MetricRow } from './metric-names.ts';
import type { Observer } from './observe.ts';

/** Metrics of one server, in the text format of Prometheus. */
export interface Metrics {
  readonly observer: Observer;
  readonly contentType: string;
  text(): Promise<string>;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** Counts in memory, from now on. @param root the directory whose file system is looked at when metrics are asked for */
export function createMetrics(root: string): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const options = (name: MetricName) => {
    const row: MetricRow = METRICS[name];
    return { name: row.name, help: row.help, labelNames: [...(row.labels ?? [])], registers: [register] };
  };
  const requests = new Counter(options('requests'));
  const duration = new Histogram({ ...options('duration'), buckets: [...METRICS.duration.buckets] });
  const inFlight = new Gauge(options('inFlight'));
  const received = new Counter(options('received'));
  const sent = new Counter(options('sent'));
  const diskSize = new Gauge(options('diskSize'));
  const diskAvailable = new Gauge(options('diskAvailable'));
  const collections = new Counter(options('collections'));
  const freed = new Counter(options('freed'));
  const kept = new Gauge(options('kept'));
  return {
    contentType: register.contentType,
    text: async () => {
      const disk = await statfs(root).catch(() => undefined);
      if (disk !== undefined) {
        diskSize.set(disk.blocks * disk.bsize);
        diskAvailable.set(disk.bavail * disk.bsize);
      }
      return register.metrics();
    },
    observer: {
      begin: () => inFlight.inc(),
      end: ({ method, route, status, ms, ...bytes }) => {
        inFlight.dec();
        requests.inc({ method: METHODS.has(method) ? method : 'other', route, status });
        duration.observe({ route }, ms / 1000);
        received.inc({ route }, bytes.received);
        sent.inc({ route }, bytes.sent);
      },
      collected: (result) => {
        collections.inc({ outcome: result === undefined ? 'failed' : 'done' });
        if (result === undefined) return;
        freed.inc(result.freedBytes);
        kept.set(result.keptBytes);
      },
    },
  };
}
