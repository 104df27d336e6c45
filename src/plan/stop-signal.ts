/** Names of signals as Linux has them, without SIG; RTMIN+n and RTMAX-n stand beside them. */
const NAMES: ReadonlySet<string> = new Set(
  (
    'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
    'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'
  ).split(' '),
);

/** Numbers above that do not fit into a Go int. */
const MOST = 2n ** 63n;

/**
 * Whether Docker takes a text for a signal: a name in any case, with SIG or without, or any number but 0. Whether there is
 * a signal of that number is not asked.
 */
export function isSignal(text: string): boolean {
  if (/^[+-]?\d+$/.test(text)) {
    const number = BigInt(text.replace('+', ''));
    return number !== 0n && number < MOST && number >= -MOST;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const [, from, offset] = /^(RTMIN|RTMAX)(?:([+-])(?:[1-9]|1[0-5]))?$/.exec(name) ?? [];
  if (from !== undefined)
    return offset === undefined || (offset === '+') === (from === 'RTMIN') ? name !== 'RTMAX-15' : false;
  return NAMES.has(name);
}
