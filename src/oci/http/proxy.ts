import { BlockList, isIP } from 'node:net';
import type { ProxySettings } from './types.ts';

/**
 * The proxy for a URL, or undefined to connect directly, as Go's http.ProxyFromEnvironment decides: by the URL's scheme;
 * never for localhost and loopback addresses; never for what NO_PROXY lists (`*`, host, .domain, host:port, address,
 * CIDR block).
 */
export function proxyFor(url: URL, settings: ProxySettings): string | undefined {
  const proxy = url.protocol === 'https:' ? settings.https : settings.http;
  if (!proxy) return undefined;
  const host = bareHost(url.hostname);
  if (isLoopback(host)) return undefined;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const excluded = (settings.noProxy ?? '')
    .split(/[,\s]+/)
    .some((entry) => entry !== '' && excludes(entry, host, port));
  return excluded ? undefined : proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** Whether a host (without port) is localhost, in 127.0.0.0/8, as an IPv6 address too, or ::1. */
export function isLoopback(host: string): boolean {
  const bare = bareHost(host);
  const mapped = isIP(bare) === 6 && /^::ffff:7f[0-9a-f]{2}:/.test(bare);
  return bare === 'localhost' || bare === '::1' || mapped || (isIP(bare) === 4 && bare.startsWith('127.'));
}

function bareHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function excludes(entry: string, host: string, port: string): boolean {
  const text = entry.toLowerCase();
  if (text === '*') return true;
  const block = /^(.+)\/(\d+)$/.exec(text);
  if (block !== null) return inBlock(block[1]!, Number(block[2]), host);
  const [, name = '', entryPort] = /^(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(text) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  const bare = bareHost(name).replace(/^\*\./, '.');
  if (bare === '') return false;
  if (bare.startsWith('.')) return host.endsWith(bare);
  return host === bare || host.endsWith(`.${bare}`);
}

function inBlock(address: string, bits: number, host: string): boolean {
  const family = isIP(address);
  if (family === 0 || isIP(host) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
