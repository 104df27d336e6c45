/** Where everything of the image lies. */
export const OWN = '/.envbuilder';
/** Never exists, and is short enough to stand for any other path. */
const NOWHERE = '/dev/-';
const CA_FILE = `${OWN}/certs/ca.crt`;

/**
 * Paths that are compiled into Debian's programs and libraries, and what stands there in the image: nothing of ours may
 * load code or configuration of whatever base image lies in / at the time. Files by their name.
 */
export function pathChanges(triplet: string, loader: string): Readonly<Record<string, PathChanges>> {
  const git = {
    '/bin/sh': 'sh',
    '/usr/lib/git-core': `${OWN}/bin`,
    'share/git-core/templates': `${OWN}/templates`,
  };
  return {
    [loader]: { '/etc/ld.so.preload': NOWHERE, '/etc/ld.so.cache': NOWHERE },
    'libc.so.6': {
      '/etc/nsswitch.conf': `${OWN}/nssw`,
      '/usr/lib/locale': NOWHERE,
      '/usr/lib/locale/locale-archive': NOWHERE,
      [`/usr/lib/${triplet}/gconv`]: `${OWN}/lib/gconv`,
      [`/usr/lib/${triplet}/gconv/gconv-modules.cache`]: NOWHERE,
    },
    'libcrypto.so.3': {
      '/usr/lib/ssl': NOWHERE,
      [`/usr/lib/${triplet}/engines-3`]: NOWHERE,
      [`/usr/lib/${triplet}/ossl-modules`]: NOWHERE,
    },
    'libcurl-gnutls.so.4': { '/etc/ssl/certs/ca-certificates.crt': CA_FILE, '/etc/ssl/certs': NOWHERE },
    'libgnutls.so.30': {
      '/etc/ssl/certs/ca-certificates.crt': CA_FILE,
      '/etc/gnutls/config': NOWHERE,
      '/etc/gnutls/pkcs11.conf': NOWHERE,
    },
    'libp11-kit.so.0': {
      '/etc/pkcs11/modules': NOWHERE,
      '/etc/pkcs11/pkcs11.conf': NOWHERE,
      [`/usr/lib/${triplet}/pkcs11`]: NOWHERE,
      '/usr/share/p11-kit/modules': NOWHERE,
    },
    'libgssapi_krb5.so.2': {
      '/etc/gss/mech': NOWHERE,
      '/etc/gss/mech.d/*.conf': NOWHERE,
      [`/usr/lib/${triplet}/gss/`]: NOWHERE,
    },
    'libkrb5.so.3': {
      [`/usr/lib/${triplet}/krb5/plugins`]: NOWHERE,
      [`/usr/lib/${triplet}/krb5/plugins/authdata`]: NOWHERE,
      [`/usr/lib/${triplet}/krb5/plugins/libkrb5`]: NOWHERE,
    },
    'libsasl2.so.2': {
      [`/usr/lib/${triplet}/sasl2`]: NOWHERE,
      [`/etc/sasl2:/etc/sasl:/usr/lib/${triplet}/sasl2:/usr/lib/sasl2`]: NOWHERE,
    },
    git,
    'git-remote-http': git,
  };
}

export type PathChanges = Readonly<Record<string, string>>;

/**
 * Replaces whole strings of a binary in place, each by one that is not longer.
 * @throws Error when a string is not there: the package has changed, and the table must be looked at
 */
export function changePaths(bytes: Buffer, changes: PathChanges): void {
  for (const [from, to] of Object.entries(changes)) {
    if (to.length > from.length) throw new Error(`${to} is longer than ${from}`);
    const [old, fresh] = [`\0${from}\0`, `\0${to.padEnd(from.length, '\0')}\0`];
    if (!replaceAll(bytes, old, fresh)) throw new Error(`the string ${from} is not there`);
  }
}

/**
 * Lets the dynamic loader search our directory where it would search the system's. Their lengths are compiled in
 * elsewhere, so every one keeps its own.
 */
export function changeLoaderDirectories(bytes: Buffer, triplet: string): void {
  const old = [`/lib/${triplet}/`, `/usr/lib/${triplet}/`, '/lib/', '/usr/lib/'];
  const fresh = old.map((path) =>
    (path.length > `${OWN}/lib/`.length ? `${OWN}/lib/` : '/dev/').padEnd(path.length, '/'),
  );
  const text = (paths: readonly string[]): string => paths.map((path) => `${path}\0`).join('');
  if (!replaceAll(bytes, text(old), text(fresh))) throw new Error('the loader has other system directories');
}

function replaceAll(bytes: Buffer, old: string, fresh: string): boolean {
  let found = false;
  for (let at = bytes.indexOf(old, 0, 'latin1'); at !== -1; at = bytes.indexOf(old, at + 1, 'latin1')) {
    bytes.write(fresh, at, 'latin1');
    found = true;
  }
  return found;
}
