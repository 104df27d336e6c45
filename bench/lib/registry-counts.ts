/** What a registry was asked for, as it counts itself. */
export interface Counts {
  readonly requests: number;
  /** MiB that it sent. */
  readonly receivedMiB: number;
  /** MiB that it was sent. */
  readonly sentMiB: number;
}

const MIB = 1024 * 1024;

/** @param text what CNCF Distribution says of itself, in the text format of Prometheus */
export function countsOf(text: string): Counts {
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'gm'))].reduce(
      (all, [, value]) => all + Number(value),
      0,
    );
  return {
    requests: sum('registry_http_requests_total'),
    receivedMiB: sum('registry_http_response_size_bytes_sum') / MIB,
    sentMiB: sum('registry_http_request_size_bytes_sum') / MIB,
  };
}

/** What came between two counts. */
export function difference(before: Counts, after: Counts): Counts {
  return {
    requests: after.requests - before.requests,
    receivedMiB: after.receivedMiB - before.receivedMiB,
    sentMiB: after.sentMiB - before.sentMiB,
  };
}

/** Counts so far, of a registry that was started with `metrics`. */
export async function readCounts(metrics: string): Promise<Counts> {
  const answer = await fetch(metrics);
  return countsOf(await answer.text());
}
