import { plainText } from '../../core/plain-text.ts';
import type { GitFailureKind } from './types.ts';

/* git says why it failed in words only; LC_ALL=C keeps them as they are in its sources. First match wins. */
const PATTERNS: readonly (readonly [GitFailureKind, RegExp])[] = [
  ['disk-full', /No space left on device|Disk quota exceeded/i],
  ['proxy-auth', /HTTP code 407 from proxy|response 407|returned error: 407/i],
  ['host-key', /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/i],
  [
    'auth',
    /Authentication failed|could not read (?:Username|Password)|Permission denied \(|returned error: 40[13]|Invalid credentials|HTTP Basic: Access denied|Too many authentication failures/i,
  ],
  [
    'certificate',
    /certificate (?:verification|problem)|server certificate|SSL certificate|self.signed certificate|unable to get local issuer/i,
  ],
  [
    'no-reference',
    /Remote branch .* not found|couldn't find remote ref|not our ref|unadvertised object|reference is not a tree|bad object|upload-pack: not our ref/i,
  ],
  [
    'no-repository',
    /repository .* not found|does not appear to be a git repository|Repository not found|returned error: 404|does not exist|not valid: is this a git repository/i,
  ],
  ['slow', /Operation too slow/i],
  ['redirect', /returned error: 30[12378]|unable to update url base from redirection/i],
  [
    'network',
    /Could not resolve (?:host|proxy|hostname)|Failed to connect|Couldn't connect|Connection (?:refused|reset|timed out|closed)|Operation timed out|unexpected disconnect|early EOF|hung up unexpectedly|returned error: (?:429|5\d\d)|Network is unreachable|No route to host|Empty reply|transfer closed|name resolution/i,
  ],
];

/** What kind of failure the messages of git tell of. */
export function gitFailureKind(messages: readonly string[]): GitFailureKind {
  const text = messages.join('\n');
  return PATTERNS.find(([, pattern]) => pattern.test(text))?.[0] ?? 'other';
}

/** What git says of any failure of ssh or of the program on the server, whose own words stand before it. */
const AFTERWORDS =
  /^(?:fatal: Could not read from remote repository|Please make sure you have the correct access rights|and the repository exists)/i;
/** What is no failure. */
const PRELUDE = /^(?:Cloning into |Warning: Permanently added )/i;
/** What ssh says of its failures (OpenSSH's sshconnect.c, sshconnect2.c, packet.c, authfile.c), without what leads to them. */
const SSH_WORDS =
  /^(?:ssh: |Load key "|Host key for .* has changed|Host key verification failed|No .* host key is known|Offending .* key in |Unable to negotiate |Received disconnect |Connection (?:to|from|closed|reset|timed out)|Disconnected from |kex_exchange_identification: |banner exchange: |Timeout, server|Too many authentication failures|Bad (?:owner|permissions)|sign_and_send_pubkey: |\S+: Permission denied \()/;
/** Says less than the line before it. */
const LESS = /^(?:Host key verification failed|Disconnected from )/;
/** No more than these many lines, and characters of each, are told. */
const MOST_WORDS = 3;
const LONGEST = 300;

/** What of git's messages says what is wrong, in a line: the words of ssh where that failed. */
export function gitReason(messages: readonly string[]): string {
  const lines = messages.filter((line) => !AFTERWORDS.test(line) && !PRELUDE.test(line));
  const ssh = messages.some((line) => AFTERWORDS.test(line)) ? sshReason(lines) : undefined;
  if (ssh !== undefined) return ssh;
  const fatal = lines.filter((line) => /^(?:fatal|error|remote):/i.test(line));
  const best = fatal.find((line) => line.startsWith('fatal:'));
  const other = lines.findLast((line) => /denied|failed|refused|Could not|not found/i.test(line));
  const said = best ?? other ?? fatal.at(-1) ?? lines.at(-1);
  return clean(said ?? messages.find((line) => line.startsWith('fatal:')) ?? 'git failed without a message');
}

/** The words of ssh, which names keys by files that are gone when they are read. */
function sshReason(lines: readonly string[]): string | undefined {
  const said = [...new Set(lines.filter((line) => SSH_WORDS.test(line)))];
  const more = said.filter((line) => !LESS.test(line));
  const told = (more.length > 0 ? more : said).slice(0, MOST_WORDS);
  if (told.length === 0) return undefined;
  return told
    .map((line) => clean(line.replace(/^Load key ".*": /, 'the private key cannot be loaded: ')))
    .join('; ');
}

/** One line of a server's or a program's, that breaks and colours no line of ours. */
function clean(line: string): string {
  return plainText(line.replace(/^(?:fatal|error|remote|ERROR):\s*/i, '').replace(/\s*[.\r]*$/, ''), LONGEST);
}
