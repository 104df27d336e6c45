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

/** The one line of git's messages that says what is wrong. */
export function gitReason(messages: readonly string[]): string {
  const fatal = messages.filter((line) => /^(?:fatal|error|remote):/i.test(line));
  const best = fatal.find((line) => line.startsWith('fatal:') && !/Could not read from remote/.test(line));
  const other = messages.findLast((line) => /denied|failed|refused|Could not/i.test(line));
  const line = best ?? other ?? fatal.at(-1) ?? messages.at(-1) ?? 'git failed without a message';
  return line.replace(/^(?:fatal|error|remote|ERROR):\s*/i, '').replace(/\.$/, '');
}
