/** Options of a RUN with a command that shows in the image what it sees through them. `@STAGE@` stands for an earlier stage. */
export const mountedRuns: readonly (readonly [options: string, command: string])[] = [
  ['--mount=target=/mnt/c', 'find /mnt/c -exec stat -c "%a %u %g %n" {} + | sort -k4 > /seen-context'],
  [
    '--mount=source=dir,target=/mnt/d',
    'cp -a /mnt/d /from-dir; find /mnt/d -type f -exec cat {} + > /seen-dir',
  ],
  ['--mount=source=dir,target=/mnt/d,rw', 'echo w > /mnt/d/w; ls -n /mnt/d | cut -c1-10 > /seen-rw'],
  ['--mount=source=a.txt,target=/mnt/a', 'cp -p /mnt/a /from-file'],
  ['--mount=source=dirlink,target=/mnt/l', 'ls /mnt/l > /seen-link'],
  ['--mount=source=$SRC,target=/mnt/v', 'cat /mnt/v > /seen-variable || true'],
  ['--mount=from=@STAGE@,target=/mnt/s', 'stat -c "%a %u %g %n" /mnt/s/* | sort > /seen-stage'],
  [
    '--mount=from=@STAGE@,source=/base,target=/mnt/s',
    'find /mnt/s -exec stat -c "%a %u %g %n" {} + | sort > /seen-base',
  ],
  ['--mount=from=@STAGE@,source=/etc/passwd,target=/mnt/p', 'cat /mnt/p > /seen-passwd'],
  ['--mount=type=tmpfs,target=/mnt/t,size=1m', 'ls -A /mnt/t > /seen-memory; echo t > /mnt/t/t'],
  ['--mount=type=cache,target=/mnt/k', 'echo k >> /mnt/k/log; test -s /mnt/k/log && echo kept > /seen-cache'],
  ['--mount=type=cache,id=m,target=/mnt/m,mode=0711,uid=5', 'stat -c "%a %u" /mnt/m > /seen-owner'],
  ['--mount=type=cache,id=n,target=/mnt/m,mode=0700,gid=6', 'stat -c "%a %g" /mnt/m > /seen-owner'],
  [
    '--mount=type=cache,from=@STAGE@,source=/base,target=/mnt/f',
    'echo f >> /mnt/f/log; ls -A /mnt/f | grep -v log > /seen-seed || true',
  ],
  ['--mount=type=tmpfs', 'pwd > /seen-here; ls -A > /seen-nothing'],
  ['--mount=type=cache', 'pwd > /seen-here; touch kept'],
  ['--mount=source=dir', 'find . -type f -exec cat {} + > /seen-here'],
  ['--mount=type=tmpfs,target=rel/t', 'ls -ldn rel/t | cut -c1-20 > /seen-relative'],
  ['--mount=type=secret,id=none', 'ls /run/secrets > /seen-secret 2>&1 || true'],
  ['--mount=source=dir,target=/d', 'echo hidden > /beside; ls /d > /seen-hidden'],
];

/** Changes of modes and owners in a build context. */
export const modeEdits: readonly string[] = [
  'chmod 700 .',
  'chmod 755 .',
  'chmod 2775 .',
  'chmod 700 dir',
  'chmod 755 dir dir/sub other dir2',
  'chmod 1777 dir',
  'find . -type d -exec chmod g+s {} +',
  'find . -type d -exec chmod g-s {} +',
  'chmod -R g+w .',
  'chmod -R go= .',
  'chmod u+x a.txt',
  'chmod g+s dir/sub',
  'chown 5:6 . dir',
  'chmod 600 dir/x',
];

/** Changes of a build context that no image shows, so that every step must be found again after them. */
export const neutralEdits: readonly string[] = [
  'find . -print0 | xargs -0 touch -h -d now',
  'chmod "$(stat -c %a . | sed "s/..$/00/")" .',
  'find . -type d -exec chown 77:78 {} +',
];

/** Directories that RUNs and COPYs of made-up builds write to, for volumes to lie at; not where the tests' own files are. */
export const volumePlaces: readonly string[] = ['/d', '/vol', '/home', '/base', '/w', '/mnt/d', '/new', '/a'];
