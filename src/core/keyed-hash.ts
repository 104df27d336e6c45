import { randomBytes } from 'node:crypto';

/** A hash of 32 bits over a number and a text. */
export type KeyedHash = (seed: number, text: string) => number;

/**
 * HalfSipHash-1-3 (Aumasson and Bernstein) with a random key, over UTF-16 code units. For tables of names that somebody else
 * chose: without the key nobody can find names that fall together.
 */
export function createKeyedHash(): KeyedHash {
  const key = randomBytes(8);
  const [low, high] = [key.readInt32LE(0), key.readInt32LE(4)];
  return (seed, text) => {
    let v0 = low;
    let v1 = high;
    let v2 = 0x6c796765 ^ low;
    let v3 = 0x74656462 ^ high;
    const { length } = text;
    const words = (length + 1) >> 1;
    // The seed, two units a word, the length, and three rounds to end with.
    for (let at = -1; at < words + 4; at += 1) {
      let word = 0;
      if (at < 0) word = seed;
      else if (at < words)
        word = text.charCodeAt(at * 2) | (at * 2 + 1 < length ? text.charCodeAt(at * 2 + 1) << 16 : 0);
      else if (at === words) word = length;
      else if (at === words + 1) v2 ^= 0xff;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return (v1 ^ v3) >>> 0;
  };
}
