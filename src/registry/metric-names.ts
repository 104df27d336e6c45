/** A metric of the served registry; dashboard, reference page and server are made from the table. */
export interface MetricRow {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Each has few values, whatever clients send. */
  readonly labels?: readonly string[];
  readonly buckets?: readonly number[];
}

export const METRICS = {
  requests: {
    name: 'envbuilder_registry_requests_total',
    type: 'counter',
    help: 'Requests that have ended, by method, what they were for, and the status of the answer (0: none)',
    labels: ['method', 'route', 'status'],
  },
  duration: {
    name: 'envbuilder_registry_request_duration_seconds',
    type: 'histogram',
    help: 'Time from the headers of a request to the end of its answer',
    labels: ['route'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300],
  },
  inFlight: {
    name: 'envbuilder_registry_requests_in_flight',
    type: 'gauge',
    help: 'Requests that are being answered',
  },
  received: {
    name: 'envbuilder_registry_received_bytes_total',
    type: 'counter',
    help: 'Bytes of the bodies of requests',
    labels: ['route'],
  },
  sent: {
    name: 'envbuilder_registry_sent_bytes_total',
    type: 'counter',
    help: 'Bytes of the bodies of answers',
    labels: ['route'],
  },
  diskSize: {
    name: 'envbuilder_registry_disk_size_bytes',
    type: 'gauge',
    help: 'Size of the file system that the directory lies on',
  },
  diskAvailable: {
    name: 'envbuilder_registry_disk_available_bytes',
    type: 'gauge',
    help: 'What of it is free',
  },
  collections: {
    name: 'envbuilder_registry_collections_total',
    type: 'counter',
    help: 'Garbage collections of this process (--gc-every), by outcome: done or failed',
    labels: ['outcome'],
  },
  freed: {
    name: 'envbuilder_registry_freed_bytes_total',
    type: 'counter',
    help: 'Bytes of blobs that they removed',
  },
  kept: {
    name: 'envbuilder_registry_kept_bytes',
    type: 'gauge',
    help: 'Bytes that are in use, as of the last of them',
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof METRICS;
