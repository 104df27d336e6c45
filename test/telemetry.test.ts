import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startOwnRegistry } from './support/own-registry.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

/** What a collector was sent. */
interface Sent {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, string | number>>;
}

interface SentSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events: readonly { readonly name: string }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface SentMetric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: { readonly dataPoints: readonly Point[] };
  readonly histogram?: { readonly dataPoints: readonly Point[] };
}

interface Point {
  readonly attributes: readonly Attribute[];
  readonly asInt?: string | number;
  readonly asDouble?: number;
  readonly count?: string | number;
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const SECRET = 'quite-a-secret-token';

/** A collector on a free port. @param answers whether it ever does */
async function collector(t: TestContext, answers = true) {
  const sent: Sent[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      sent.push({ path: request.url!, headers: request.headers, body: Buffer.concat(parts) });
      if (answers) response.writeHead(200, { 'content-type': request.headers['content-type']! }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, sent };
}

function sandbox(t: TestContext, dockerfile = `FROM scratch\nCOPY a /a\nCOPY b /${SECRET}\n`): Sandbox {
  const box = createSandbox({ Dockerfile: dockerfile, a: 'a', b: 'b' });
  t.after(() => box.close());
  return box;
}

function spansOf(sent: readonly Sent[]): SentSpan[] {
  return sent
    .filter(({ path }) => path === '/v1/traces')
    .flatMap(({ body }) => JSON.parse(body.toString()).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans);
}

function metricsOf(sent: readonly Sent[]): SentMetric[] {
  return sent
    .filter(({ path }) => path === '/v1/metrics')
    .flatMap(({ body }) => JSON.parse(body.toString()).resourceMetrics)
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics);
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

test('a build is a trace with its phases and steps, in the trace of who runs it', async (t) => {
  const { url, sent } = await collector(t);
  const box = sandbox(t);
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${SECRET}`,
    OTEL_RESOURCE_ATTRIBUTES: 'team=blue',
    TRACEPARENT: `00-${TRACE}-${PARENT}-01`,
  };
  for (const [outcome, other] of [
    ['built', 'hit'],
    ['hit', 'built'],
  ] as const) {
    const built = await box.build([`--layer-cache-dir=${box.cache}`], { env });
    assert.equal(built.code, 0, built.output);
    const spans = spansOf(sent);
    const root = spans.find(({ parentSpanId }) => parentSpanId === PARENT)!;
    assert.equal(root.name, 'envbuilder build');
    assert.ok(spans.every(({ traceId }) => traceId === TRACE));
    assert.ok(spans.every((span) => span === root || span.parentSpanId === root.spanId));
    const about = valuesOf(root.attributes);
    assert.equal(about['envbuilder.command'], 'build');
    assert.equal(Number(about['envbuilder.steps.planned']), 2);
    assert.equal(Number(about[`envbuilder.steps.${outcome}`]), 2);
    assert.equal(Number(about[`envbuilder.steps.${other}`]), 0);

    const steps = spans.filter(({ name }) => name === 'COPY').map(({ attributes }) => valuesOf(attributes));
    assert.deepEqual(
      steps.map((step) => [step['envbuilder.step.text'], Number(step['code.line.number'])]),
      [
        ['COPY a /a', 2],
        ['COPY b /***', 3],
      ],
    );
    for (const step of steps) {
      assert.equal(step['envbuilder.step.outcome'], outcome);
      assert.match(String(step['envbuilder.step.key']), /^sha256:/);
    }
    const phases = spans.map(({ name }) => name);
    assert.ok(phases.includes('plan') && phases.includes('lookup'), phases.join(' '));
    assert.ok(
      spans.every((span) => BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano)),
      'a span ends before it begins',
    );

    const metrics = new Map(metricsOf(sent).map((metric) => [metric.name, metric]));
    const points = metrics.get('envbuilder.steps')!.sum!.dataPoints;
    assert.deepEqual(
      points.map(({ attributes, asInt, asDouble }) => [
        valuesOf(attributes).outcome,
        Number(asInt ?? asDouble),
      ]),
      [[outcome, 2]],
    );
    const [run] = metrics.get('envbuilder.run.duration')!.histogram!.dataPoints;
    assert.deepEqual(valuesOf(run!.attributes), { command: 'build', outcome: 'ok' });
    assert.equal(metrics.get('envbuilder.transfer.size')!.unit, 'By');

    for (const { headers, body } of sent) {
      assert.equal(headers['x-api-key'], SECRET);
      assert.ok(!body.includes(SECRET), 'a secret was sent');
      assert.ok(body.includes('"team"') && body.includes('"envbuilder"'));
    }
    sent.length = 0;
  }
});

test('a failure is the status of the trace, and its code an outcome', async (t) => {
  const { url, sent } = await collector(t);
  const box = sandbox(t, 'FROM scratch\nCOPY missing /\n');
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  assert.equal((await box.build([], { env })).code, 5);
  const root = spansOf(sent).find(({ name }) => name === 'envbuilder build')!;
  assert.equal(root.parentSpanId ?? '', '');
  assert.equal(root.status.code, 2);
  assert.match(root.status.message!, /missing/);
  assert.equal(valuesOf(root.attributes)['error.type'], 'CONTEXT');
  const run = metricsOf(sent).find(({ name }) => name === 'envbuilder.run.duration')!;
  assert.equal(valuesOf(run.histogram!.dataPoints[0]!.attributes).outcome, 'CONTEXT');
});

test('the standard variables choose what is sent, and how', async (t) => {
  const { url, sent } = await collector(t);
  const box = sandbox(t);
  const cases: readonly {
    readonly env: Readonly<Record<string, string>>;
    readonly paths: readonly string[];
    readonly type?: string;
    readonly warning?: RegExp;
  }[] = [
    { env: {}, paths: ['/v1/metrics', '/v1/traces'], type: 'application/x-protobuf' },
    {
      env: { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      paths: ['/v1/metrics', '/v1/traces'],
      type: 'application/json',
    },
    { env: { OTEL_SDK_DISABLED: 'true' }, paths: [] },
    { env: { OTEL_METRICS_EXPORTER: 'none' }, paths: ['/v1/traces'] },
    { env: { OTEL_TRACES_EXPORTER: 'none' }, paths: ['/v1/metrics'] },
    { env: { OTEL_TRACES_EXPORTER: 'zipkin' }, paths: ['/v1/metrics'], warning: /exporter "zipkin"/ },
    { env: { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, paths: [], warning: /protocol "grpc"/ },
    {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/own` },
      paths: ['/own'],
    },
    { env: { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, paths: [] },
  ];
  for (const { env, paths, type, warning = /^/ } of cases) {
    const built = await box.build([], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, ...env } });
    const about = JSON.stringify(env);
    assert.equal(built.code, 0, built.output);
    assert.deepEqual(sent.map(({ path }) => path).sort(), paths, about);
    if (type) for (const { headers } of sent) assert.equal(headers['content-type'], type, about);
    assert.match(built.output, warning);
    assert.equal(
      /TELEMETRY|not sent|cannot be sent/.test(built.output),
      warning.source !== '^',
      built.output,
    );
    sent.length = 0;
  }
});

test('a collector that is not there or never answers is a warning and holds nothing up', async (t) => {
  const silent = await collector(t, false);
  const box = sandbox(t);
  for (const endpoint of ['http://127.0.0.1:9', silent.url, 'no url at all']) {
    const built = await box.build([], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
    assert.equal(built.code, 0, built.output);
    assert.equal(built.output.match(/traces or metrics were not sent/g)?.length, 1, built.output);
  }
});

test('the span of a step says how large its layer is, and what of it was pushed and pulled', async (t) => {
  const { url, sent } = await collector(t);
  const dockerfile = 'FROM scratch\nCOPY a /a\nENV X=1\nCOPY b /b\nWORKDIR /\n';
  const box = sandbox(t, dockerfile);
  const registry = await startOwnRegistry(box.dir, join(box.dir, 'registry'));
  t.after(registry.stop);
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  const cache = `--cache-repo=${registry.host}/cache`;
  const bytesOf = async (...args: readonly string[]) => {
    sent.length = 0;
    const built = await box.build([cache, ...args], { env });
    assert.equal(built.code, 0, built.output);
    return spansOf(sent)
      .filter(({ attributes }) => attributes.some(({ key }) => key === 'envbuilder.step.key'))
      .map(({ attributes }) => {
        const values = valuesOf(attributes);
        const number = (name: string) => (values[name] === undefined ? undefined : Number(values[name]));
        return {
          text: values['envbuilder.step.text'],
          size: number('envbuilder.step.layer.size'),
          pushed: number('envbuilder.bytes.pushed'),
          pulled: number('envbuilder.bytes.pulled'),
        };
      });
  };
  const first = await bytesOf();
  const sizes = first.map(({ size }) => size);
  for (const { text, size, pushed, pulled } of first) {
    const makesFiles = String(text).startsWith('COPY');
    assert.equal((size ?? 0) > 0, makesFiles, String(text));
    assert.equal(pushed, makesFiles ? size : undefined, String(text));
    assert.equal(pulled, undefined);
  }
  const again = await bytesOf(`--output=type=rootfs,dest=${join(box.dir, 'rootfs')}`);
  assert.deepEqual(
    again.map(({ size }) => size),
    sizes,
  );
  for (const { text, size, pushed, pulled } of again) {
    assert.equal(pushed, undefined);
    assert.equal(pulled, size, String(text));
  }
});
