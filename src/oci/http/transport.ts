import { Agent, type Dispatcher, ProxyAgent, request } from 'undici';
import { awakeTimer } from '../../core/awake-timeout.ts';
import { NETWORK_LIMITS, type NetworkLimits, TooSlow } from '../../core/network-limits.ts';
import { proxyFor } from './proxy.ts';
import { createTlsProfiles, PLAIN, type TlsOptions } from './tls-profiles.ts';
import type { HttpRequest, HttpResponse, ProxySettings } from './types.ts';

export interface TransportOptions extends TlsOptions {
  readonly proxy?: ProxySettings;
  /** Connections to one host at a time; as many as a probe has requests for the steps of a long Dockerfile, so that it need not wait. */
  readonly connections?: number;
  readonly userAgent?: string;
  /** How long servers may take. */
  readonly limits?: NetworkLimits;
}

/** One HTTP exchange: no redirects, no retries. */
export interface Transport {
  /** @throws whatever the connection fails with; TooSlow, also from the body */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Whether plain HTTP and any certificate will do for a host. */
  isInsecure(host: string): boolean;
  close(): Promise<void>;
}

/** HTTP/1.1 over kept-alive connections, through the proxies that apply. Nothing is read from the environment. */
export function createTransport(options: TransportOptions): Transport {
  const { proxy = {}, connections = 384, userAgent = 'envbuilder', limits = NETWORK_LIMITS } = options;
  const tls = createTlsProfiles(options);
  const agents = new Map<string, Dispatcher>();
  const agentFor = (url: URL): Dispatcher => {
    const uri = proxyFor(url, proxy) ?? '';
    const secured = url.protocol === 'https:' || uri.startsWith('https:');
    const { key, ...security } = secured ? tls.forHost(url.host) : PLAIN;
    const name = `${key} ${uri}`;
    let agent = agents.get(name);
    if (agent === undefined) {
      const connect = { timeout: 15_000, ...security };
      const common: Agent.Options = {
        connections,
        connect,
        allowH2: false,
        keepAliveTimeout: 30_000,
        bodyTimeout: limits.windowMs,
        headersTimeout: limits.answerMs,
      };
      agent =
        uri === ''
          ? new Agent(common)
          : new ProxyAgent({ ...common, uri, requestTls: connect, proxyTls: connect });
      agents.set(name, agent);
    }
    return agent;
  };

  return {
    isInsecure: tls.isInsecure,
    send: async ({ method, url, headers, body, signal: outer, carries = 'document', since }) => {
      const content = body?.();
      const reads = method === 'GET' || method === 'HEAD';
      const whole = carries === 'document';
      const ms = whole && reads ? limits.documentMs : limits.answerMs;
      // How long content takes to be sent is its reader's affair on the other side.
      const clock = whole || reads ? startClock(ms, since, outer) : undefined;
      const signal = clock?.signal ?? outer;
      const response = await request(url, {
        method,
        dispatcher: agentFor(new URL(url)),
        headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...headers },
        ...(content === undefined ? {} : { body: content }),
        ...(signal === undefined ? {} : { signal }),
      }).catch((error: unknown) => {
        clock?.stop();
        throw error;
      });
      if (whole) response.body.once('close', () => clock?.stop());
      else clock?.stop();
      return { status: response.statusCode, headers: flatten(response.headers), body: response.body, url };
    },
    close: async () => {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
    },
  };
}

interface Clock {
  readonly signal: AbortSignal;
  stop(): void;
}

/** Aborts when an exchange takes longer than it may, while this process runs. */
function startClock(ms: number, since: number | undefined, outer: AbortSignal | undefined): Clock {
  const abort = new AbortController();
  const late = (): void => abort.abort(new TooSlow(`it took longer than ${ms / 1000} seconds`));
  const spent = since === undefined ? 0 : performance.now() - since;
  return {
    stop: awakeTimer(Math.max(0, ms - spent), late),
    signal: outer === undefined ? abort.signal : AbortSignal.any([outer, abort.signal]),
  };
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const entries = Object.entries(headers).filter(
    (entry): entry is [string, string | string[]] => entry[1] !== undefined,
  );
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
