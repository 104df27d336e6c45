import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../core/digest.ts';
import { decodeRecord, encodeRecord } from './record.ts';
import { readSigningKey, readTrustedKeys, recordBytes } from './signature.ts';
import { fakeRecord } from './testing.ts';
import type { CacheRecord } from './types.ts';

const pemOf = (key: KeyObject): string =>
  String(
    key.export(key.type === 'private' ? { type: 'pkcs8', format: 'pem' } : { type: 'spki', format: 'pem' }),
  );
const pair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privatePem: pemOf(privateKey), publicPem: pemOf(publicKey) };
};
const usage = (message: RegExp) => ({ name: 'AppError', code: 'USAGE', message });

const record = fakeRecord(digestOf('a key'), ['a', '', 'b'], {
  sources: { [digestOf('s')]: digestOf('chain') },
});

test('the halves of a key belong together, and other keys do not', () => {
  const [mine, other] = [pair(), pair()];
  const key = readSigningKey(mine.privatePem, 'it');
  const [half, stranger] = readTrustedKeys(`ours:\n${mine.publicPem}\n${other.publicPem}`, 'them');
  assert.equal(key.id, half!.id);
  assert.match(key.id, /^[0-9a-f]{16}$/);
  assert.notEqual(stranger!.id, key.id);
  const bytes = recordBytes(record);
  const signature = key.sign(bytes)[key.id]!;
  assert.ok(half!.verifies(bytes, signature) && key.publicKey.verifies(bytes, signature));
  assert.ok(!stranger!.verifies(bytes, signature));
  assert.ok(!half!.verifies(Buffer.concat([bytes, Buffer.from([0])]), signature));
  for (const wrong of ['', 'AAAA', signature.slice(4), Buffer.alloc(64).toString('base64')])
    assert.ok(!half!.verifies(bytes, wrong));
});

test('the ID of a key is what openssl tells of it', () => {
  // RFC 8410, section 10.1; openssl pkey -pubin -outform DER | sha256sum
  const pem =
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n';
  assert.equal(readTrustedKeys(pem, 'it')[0]!.id, 'a1e9156054e04fac');
});

test('what is no ed25519 key in PEM is an error that names the file and never quotes it', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const ed = pair();
  const body = ed.privatePem.split('\n')[1]!;
  const wrong: readonly (readonly [() => unknown, RegExp])[] = [
    [() => readSigningKey('', 'FILE'), /^FILE holds no private key$/],
    [() => readSigningKey(ed.publicPem, 'FILE'), /^FILE holds no private key$/],
    [() => readSigningKey(pemOf(rsa.privateKey), 'FILE'), /^FILE .* type rsa, not ed25519$/],
    [
      () => readSigningKey(ed.privatePem.replace(body, body.slice(0, 20)), 'FILE'),
      /^FILE .* cannot be read$/,
    ],
    [() => readSigningKey('-----BEGIN OPENSSH PRIVATE KEY-----', 'FILE'), /^FILE .* OpenSSH/],
    [() => readSigningKey('-----BEGIN ENCRYPTED PRIVATE KEY-----', 'FILE'), /^FILE .* passphrase/],
    [() => readTrustedKeys('ssh-ed25519 AAAA', 'FILE'), /^FILE holds no public key in PEM$/],
    [() => readTrustedKeys(ed.publicPem + ed.privatePem, 'FILE'), /^FILE holds a private key/],
    [() => readTrustedKeys(pemOf(rsa.publicKey), 'FILE'), /^FILE .* type rsa, not ed25519$/],
    [() => readTrustedKeys(ed.publicPem.replace('MCow', 'AAAA'), 'FILE'), /^FILE .* cannot be read$/],
  ];
  for (const [read, message] of wrong) {
    assert.throws(read, usage(message));
    assert.throws(
      read,
      (error: Error) => !JSON.stringify([error, error.cause, error.stack]).includes(body.slice(0, 20)),
    );
  }
});

test('a signature survives the round trip in every form of a record', () => {
  const { privatePem } = pair();
  const key = readSigningKey(privatePem, 'it');
  const signed = { ...record, signatures: key.sign(recordBytes(record)) };
  for (const form of ['full', 'lean', 'opaque'] as const) {
    const { manifest, config } = encodeRecord(signed, form);
    for (const tag of [record.key, record.contentKey!]) {
      const read = decodeRecord(manifest, tag, config);
      assert.deepEqual(read, signed);
      assert.ok(key.publicKey.verifies(recordBytes(read), read.signatures![key.id]!));
    }
    assert.throws(() => decodeRecord(manifest, digestOf('another tag'), config), { code: 'CORRUPT' });
  }
});

test('the signature covers every value of a record, and that there is no more and no less', () => {
  const key = readSigningKey(pair().privatePem, 'it');
  const signature = key.sign(recordBytes(record))[key.id]!;
  const paths = leaves(record);
  assert.ok(paths.length >= 30, `${paths.length}`);
  for (const path of paths) {
    const other = change(record, path, (value) => (typeof value === 'number' ? value + 1 : `${value}x`));
    assert.ok(!key.publicKey.verifies(recordBytes(other), signature), path.join('.'));
    const less = change(record, path, () => undefined);
    assert.ok(!key.publicKey.verifies(recordBytes(less), signature), path.join('.'));
  }
  const more = { ...record, later: '' };
  assert.ok(!key.publicKey.verifies(recordBytes(more), signature));
  assert.ok(key.publicKey.verifies(recordBytes(structuredClone(record)), signature));
});

function leaves(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, item]) => leaves(item, [...path, name]));
}

function change(of: CacheRecord, path: readonly string[], edit: (value: unknown) => unknown): CacheRecord {
  const copy = structuredClone(of);
  const last = path.at(-1)!;
  const parent = path.slice(0, -1).reduce<never>((value, name) => value[name], copy as never) as Record<
    string,
    unknown
  >;
  const value = edit(parent[last]);
  if (value === undefined && Array.isArray(parent)) parent.splice(Number(last), 1);
  else parent[last] = value;
  return copy;
}

test('whatever is changed in a stored record, it is refused, or reads the same, or its signature does not fit', () => {
  const key = readSigningKey(pair().privatePem, 'it');
  const signed = { ...record, signatures: key.sign(recordBytes(record)) };
  let refused = 0;
  for (const form of ['full', 'lean'] as const) {
    const { manifest, config } = encodeRecord(signed, form);
    // The manifest of a lean record is short; what matters stands in its config, under a digest that is made anew.
    const target = form === 'full' ? manifest : config;
    fc.assert(
      fc.property(fc.nat(target.length - 1), fc.integer({ min: 32, max: 126 }), (at, byte) => {
        const changed = Buffer.from(target);
        changed[at] = byte;
        const read = readable(form === 'full' ? changed : rename(manifest, config, changed), changed);
        if (read === undefined) return;
        const { signatures, ...rest } = read;
        const { signatures: _, ...before } = signed;
        try {
          assert.deepEqual(rest, before);
        } catch {
          refused += 1;
          assert.ok(
            !Object.values(signatures ?? {}).some((one) => key.publicKey.verifies(recordBytes(read), one)),
          );
        }
      }),
      { numRuns: 1500 },
    );
  }
  assert.ok(refused > 100, `${refused}`);

  function readable(manifest: Buffer, config: Buffer) {
    try {
      return decodeRecord(manifest, record.key, config);
    } catch {
      return undefined;
    }
  }
  function rename(manifest: Buffer, from: Buffer, to: Buffer): Buffer {
    return Buffer.from(manifest.toString().replaceAll(digestOf(from), digestOf(to)));
  }
});
