import bcrypt from 'bcryptjs';

/** A password, and the hash that it is compared with. */
export interface PasswordQuestion {
  readonly password: string;
  /** A bcrypt hash; undefined for somebody who is not in the file. */
  readonly hash: string | undefined;
  /** The highest cost in the file: every wrong answer takes as long as one comparison of this cost. */
  readonly cost: number;
}

/** The base-2 logarithm of the rounds of a bcrypt hash, `$2y$COST$…`. */
export function costOf(hash: string): number {
  return Number(/^\$2[aby]?\$(\d\d)\$/.exec(hash)?.[1]);
}

/**
 * Whether a password is the one of a hash. Blocks for as long as bcrypt takes. A wrong one takes 2^cost rounds, whoever
 * was asked for: comparisons of the costs c, c, c+1, …, cost-1 are as many rounds as one of `cost`.
 */
export function passwordFits(
  { password, hash, cost }: PasswordQuestion,
  compare: (password: string, hash: string) => boolean = bcrypt.compareSync,
): boolean {
  if (hash === undefined) {
    compare(password, filler(cost));
    return false;
  }
  if (compare(password, hash)) return true;
  for (let more = costOf(hash); more < cost; more += 1) compare(password, filler(more));
  return false;
}

/** A hash of no password that anybody knows: only the rounds of the comparison matter. */
function filler(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(22)}${'.'.repeat(31)}`;
}
