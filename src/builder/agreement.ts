import { agree, type Claims } from '../cache/claims.ts';

/** What the stages of a build have made so far, so that none goes on from what contradicts another. */
export interface Agreement {
  /** Whether a stage may have these results: no other stage has another result of the same key. */
  admits(stage: number, claims: Claims): boolean;
  /**
   * A function that says what results the stage has from now on, in place of those that it had; it does nothing once a
   * function that was asked for later has been called.
   */
  holder(stage: number): (claims: Claims) => void;
}

/** Nothing is held at first. */
export function createAgreement(): Agreement {
  const held = new Map<number, { readonly claims: Claims; readonly number: number }>();
  let count = 0;
  return {
    admits: (stage, claims) =>
      [...held].every(([other, theirs]) => other === stage || agree(claims, theirs.claims)),
    holder: (stage) => {
      count += 1;
      const number = count;
      return (claims) => {
        if ((held.get(stage)?.number ?? 0) <= number) held.set(stage, { claims, number });
      };
    },
  };
}
