import type { Report } from './types.ts';

/** A report in which everything occurs that a report can hold. @param text stands wherever texts are anybody's */
export function sampleReport(text = 'x'): Report {
  const message = { code: text, text, hint: text, frame: [text, text] };
  const step = { text, file: text, line: 3, key: text, causes: [{ code: text, text }], output: [] };
  const spans = [
    { what: 'stage', from: 100, to: 900, stage: text },
    { what: 'build', from: 900, to: 1000 },
    { what: 'ran', from: 1000, to: 5000 },
  ] as const;
  const hit = { ...step, outcome: 'hit', ms: 0, waitedMs: 0, spans: [], causes: [] } as const;
  const stage = { name: text, platform: text, target: false, base: text, from: null, reads: [] };
  return {
    form: 1,
    started: '2026-11-30T01:00:00.000Z',
    ms: 8000,
    command: 'build',
    outcome: 'failed',
    error: message,
    totals: { steps: 9, hit: 6, built: 1, failed: 1, bytesPulled: 5, bytesPushed: 6 },
    stages: [
      { ...stage, index: 0, steps: [hit, hit, hit, hit, hit, { ...hit, outcome: 'unneeded' }] },
      {
        ...stage,
        index: 1,
        target: true,
        base: null,
        from: 0,
        reads: [0],
        steps: [
          { ...step, outcome: 'built', ms: 4000, waitedMs: 900, spans },
          {
            ...step,
            outcome: 'failed',
            ms: 100,
            waitedMs: 0,
            spans: [{ what: 'ran', from: 5000, to: 5100 }],
            output: [text],
          },
          { ...step, outcome: 'unfinished', ms: 0, waitedMs: 0, spans: [], key: null },
        ],
      },
    ],
    phases: [{ name: text, ms: 300, spans: [{ from: 5100, to: 5400 }] }],
    transfers: [
      { direction: 'pull', digest: text, bytes: 5, from: 0, to: 50 },
      { direction: 'push', digest: text, bytes: 6, from: 6000, to: 7000 },
    ],
    images: [
      {
        platform: text,
        digest: text,
        size: 30,
        layers: [
          { digest: text, size: 10, origin: 'base', createdBy: text, files: null },
          {
            digest: text,
            size: 10,
            origin: 'cache',
            createdBy: null,
            files: { count: 0, bytes: 0, largest: [] },
          },
          {
            digest: text,
            size: 10,
            origin: 'built',
            createdBy: text,
            files: { count: 1, bytes: 9, largest: [{ path: text, bytes: 9 }] },
          },
        ],
        waste: {
          bytes: 9,
          count: 1,
          complete: false,
          largest: [{ path: text, bytes: 9, what: 'removed', layer: 0, by: 2 }],
        },
      },
    ],
    warnings: [message, { ...message, hint: null, frame: [] }],
    retries: [{ at: 5, what: text, reason: text }],
    environment: [{ name: text, value: text }],
  };
}
