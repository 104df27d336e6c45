/*
 * Rows and texts outside the heap, for what there may be millions of: an object for each would take ten times as much, and
 * time whenever V8 looks through its heap.
 */

/** Rows of 32-bit words. A word that is 0 in thousands of neighbouring rows takes no memory. */
export interface PackedRows {
  /** Adds a row of zeros and returns its number. */
  add(): number;
  readonly count: number;
  /** A word of a row. */
  get(row: number, word: number): number;
  set(row: number, word: number, value: number): void;
  /** Copies the first words of a row into an array, as many as it has. */
  read(row: number, into: Uint32Array): void;
}

/** Columns are kept in parts, which are never copied: a copy would take the memory twice for a moment. */
const PART_SHIFT = 12;
const PART_MASK = (1 << PART_SHIFT) - 1;

/** @param words of a row */
export function createPackedRows(words: number): PackedRows {
  /** By word: its parts, those of zeros alone empty. */
  const columns = Array.from({ length: words }, (): Uint32Array[] => []);
  let count = 0;
  return {
    add: () => {
      if ((count & PART_MASK) === 0) for (const parts of columns) parts.push(ZEROS);
      count += 1;
      return count - 1;
    },
    get count() {
      return count;
    },
    get: (row, word) => {
      const part = columns[word]![row >>> PART_SHIFT]!;
      return part === ZEROS ? 0 : part[row & PART_MASK]!;
    },
    read: (row, into) => {
      const [index, at] = [row >>> PART_SHIFT, row & PART_MASK];
      for (let word = 0; word < into.length; word += 1) {
        const part = columns[word]![index]!;
        into[word] = part === ZEROS ? 0 : part[at]!;
      }
    },
    set: (row, word, value) => {
      const parts = columns[word]!;
      const index = row >>> PART_SHIFT;
      let part = parts[index]!;
      if (part === ZEROS) {
        if (value === 0) return;
        part = new Uint32Array(PART_MASK + 1);
        parts[index] = part;
      }
      part[row & PART_MASK] = value;
    },
  };
}

/** A part of a column that has nothing but zeros. */
const ZEROS = new Uint32Array(0);

/** Finds rows by the words that they begin with. */
export interface RowIndex {
  /** Takes a row in; of two that begin alike, the later one is found. */
  add(row: number): void;
  /** A row that begins with the words that stand here from `at` on. */
  find(words: Uint32Array, at: number): number | undefined;
}

const FIRST_SLOTS = 1024;

/** @param keyWords how many words of a row it is found by; they must stay as they are */
export function createRowIndex(rows: PackedRows, keyWords: number): RowIndex {
  /** Numbers of rows and one more, where their hashes say or behind that; never more than half full. */
  let slots = new Uint32Array(FIRST_SLOTS);
  let used = 0;
  const key = new Uint32Array(keyWords);
  const hashOf = (words: Uint32Array, at: number): number => {
    let hash = 0;
    for (let word = 0; word < keyWords; word += 1) {
      hash = Math.imul(hash ^ words[at + word]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  };
  const isAt = (row: number, words: Uint32Array, at: number): boolean => {
    for (let word = 0; word < keyWords; word += 1) if (rows.get(row, word) !== words[at + word]) return false;
    return true;
  };
  /** The slot of what begins like this, or the free one for it. */
  const slotOf = (words: Uint32Array, at: number): number => {
    const mask = slots.length - 1;
    let slot = hashOf(words, at) & mask;
    while (slots[slot] !== 0 && !isAt(slots[slot]! - 1, words, at)) slot = (slot + 1) & mask;
    return slot;
  };
  const put = (row: number): void => {
    rows.read(row, key);
    const slot = slotOf(key, 0);
    if (slots[slot] === 0) used += 1;
    slots[slot] = row + 1;
  };
  const grow = (): void => {
    const old = slots;
    slots = new Uint32Array(old.length * 2);
    used = 0;
    for (const row of old) if (row !== 0) put(row - 1);
  };
  return {
    add: (row) => {
      if (used * 2 >= slots.length) grow();
      put(row);
    },
    find: (words, at) => {
      const found = slots[slotOf(words, at)]!;
      return found === 0 ? undefined : found - 1;
    },
  };
}

/** Texts, each behind a number of 16 bits: its length in code units, twice, and one more where a unit takes two bytes. */
export interface PackedTexts {
  /** Adds a text of less than 32,768 code units and returns where it stands. */
  add(text: string): number;
  get(at: number): string;
  /** Whether this very text stands there. */
  is(at: number, text: string): boolean;
}

const HEAD = 2;
const TEXT_SHIFT = 18;
const TEXT_BYTES = 1 << TEXT_SHIFT;

/** @see PackedTexts */
export function createPackedTexts(): PackedTexts {
  const parts: Buffer[] = [];
  /** Bytes of the last part that are used. */
  let end = TEXT_BYTES;
  return {
    add: (text) => {
      const { length } = text;
      if (end + HEAD + length * 2 > TEXT_BYTES) {
        parts.push(Buffer.allocUnsafeSlow(TEXT_BYTES));
        end = 0;
      }
      const part = parts.length - 1;
      const bytes = parts[part]!;
      const at = end;
      const start = at + HEAD;
      let narrow = 0;
      for (; narrow < length; narrow += 1) {
        const unit = text.charCodeAt(narrow);
        if (unit > 0xff) break;
        bytes[start + narrow] = unit;
      }
      const wide = narrow < length;
      if (wide) bytes.write(text, start, 'utf16le');
      bytes.writeUInt16LE(length * 2 + (wide ? 1 : 0), at);
      end = start + (wide ? length * 2 : length);
      return part * TEXT_BYTES + at;
    },
    get: (where) => {
      const bytes = parts[where >>> TEXT_SHIFT]!;
      const at = where & (TEXT_BYTES - 1);
      const head = bytes.readUInt16LE(at);
      const start = at + HEAD;
      const length = head >>> 1;
      return (head & 1) === 1
        ? bytes.toString('utf16le', start, start + length * 2)
        : bytes.toString('latin1', start, start + length);
    },
    is: (where, text) => {
      const bytes = parts[where >>> TEXT_SHIFT]!;
      const at = where & (TEXT_BYTES - 1);
      const head = bytes.readUInt16LE(at);
      const { length } = text;
      if (head >>> 1 !== length) return false;
      const start = at + HEAD;
      const wide = (head & 1) === 1;
      for (let i = 0; i < length; i += 1) {
        const unit = wide ? bytes.readUInt16LE(start + i * 2) : bytes[start + i]!;
        if (unit !== text.charCodeAt(i)) return false;
      }
      return true;
    },
  };
}
