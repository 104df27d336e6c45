import type { Random } from '../fuzz/random.ts';

/** Numbers at which programs change their minds. */
const NUMBERS = [
  0,
  1,
  -1,
  7,
  255,
  256,
  512,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 31),
  0.5,
  1e300,
];
const TEXTS = [
  '',
  '.',
  '..',
  '/',
  '../..',
  'a\0b',
  '\u{1f426}',
  '\ud800',
  'sha256:x',
  '-1',
  '1e9',
  '__proto__',
  '$(x)',
  '%00',
  '\n',
  '~',
];

/** Some bytes of a copy changed: flipped, cut out, doubled, moved, or replaced by numbers. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  let copy: Buffer = Buffer.from(bytes);
  for (let rounds = 1 + random.int(6); rounds > 0 && copy.length > 0; rounds -= 1) {
    const at = random.int(copy.length);
    const length = Math.min(copy.length - at, 1 + random.int(random.chance(0.3) ? 600 : 8));
    const [before, part, after] = [
      copy.subarray(0, at),
      copy.subarray(at, at + length),
      copy.subarray(at + length),
    ];
    switch (random.int(7)) {
      case 0:
        copy[at] = copy[at]! ^ (1 << random.int(8));
        break;
      case 1:
        copy.fill(random.int(256), at, at + length);
        break;
      case 2:
        copy = Buffer.concat([before, after]);
        break;
      case 3:
        copy = Buffer.concat([before, part, part, after]);
        break;
      case 4:
        copy = Buffer.from(before);
        break;
      case 5:
        if (copy.length >= at + 8) copy.writeDoubleLE(random.pick(NUMBERS), at);
        break;
      default:
        copy = Buffer.concat([before, Buffer.from(random.pick(TEXTS)), after]);
    }
  }
  return copy;
}

/** The bytes of a tar mutated, and the checksums of its headers put right again, so that a reader goes on to the rest. */
export function mutateTar(tar: Buffer, random: Random): Buffer {
  const copy = random.chance(0.8) ? mutateHeaders(tar, random) : mutateBytes(tar, random);
  for (let at = 0; at + 512 <= copy.length; at += 512) {
    const block = copy.subarray(at, at + 512);
    if (block.toString('latin1', 257, 262) !== 'ustar') continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((all, byte) => all + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return copy;
}

function mutateHeaders(tar: Buffer, random: Random): Buffer {
  const copy = Buffer.from(tar);
  const starts: number[] = [];
  for (let at = 0; at + 512 <= copy.length; at += 512)
    if (copy.toString('latin1', at + 257, at + 262) === 'ustar') starts.push(at);
  const fields = [
    [0, 100],
    [100, 8],
    [108, 8],
    [116, 8],
    [124, 12],
    [136, 12],
    [156, 1],
    [157, 100],
    [257, 8],
    [329, 8],
    [337, 8],
    [345, 155],
  ] as const;
  for (let rounds = 1 + random.int(4); rounds > 0 && starts.length > 0; rounds -= 1) {
    const [offset, width] = random.pick(fields);
    const at = random.pick(starts) + offset;
    if (random.chance(0.5)) copy[at + random.int(width)] = random.int(256);
    else if (width === 1) copy[at] = random.pick([...'0123456789gxLKSVMDNX']).charCodeAt(0);
    else
      copy
        .fill(0, at, at + width)
        .write(
          random.pick([...TEXTS, ...NUMBERS.map((value) => Math.trunc(value).toString(8))]),
          at,
          width,
          'latin1',
        );
  }
  return copy;
}

/** A value with some of its parts replaced, taken out, or put in twice. */
export function mutateJson(value: unknown, random: Random): unknown {
  const copy = structuredClone(value);
  for (let rounds = 1 + random.int(3); rounds > 0; rounds -= 1) {
    const places: [Record<string, unknown>, string][] = [];
    const visit = (node: unknown): void => {
      if (node === null || typeof node !== 'object') return;
      for (const key of Object.keys(node)) {
        places.push([node as Record<string, unknown>, key]);
        visit((node as Record<string, unknown>)[key]);
      }
    };
    visit(copy);
    if (places.length === 0) return random.pick([null, 5, 'text', []]);
    const [node, key] = random.pick(places);
    const action = random.int(6);
    if (action === 0) delete node[key];
    else if (action === 1) node[key] = random.pick(NUMBERS);
    else if (action === 2) node[key] = random.pick(TEXTS);
    else if (action === 3) node[key] = random.pick([null, true, [], {}, [[]], { a: {} }]);
    else if (action === 4) node[key] = [node[key], node[key]];
    else if (typeof node[key] === 'string') node[key] = mutateText(node[key], random);
    else node[`${key}x`] = node[key];
  }
  return copy;
}

/** A text with some of its characters changed. */
export function mutateText(text: string, random: Random): string {
  return mutateBytes(Buffer.from(text), random).toString();
}
