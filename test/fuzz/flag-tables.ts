/** Owners for --chown that need no name of the image. */
export const numericOwners: readonly string[] = [
  '1000',
  '1000:50',
  '0:0',
  '5',
  ':50',
  '1000:',
  '$OWN',
  '01000',
];

/** Owners for --chown that only the rich base image knows. */
export const namedOwners: readonly string[] = ['user', 'user:staff', 'daemon:extra', 'root', 'user:2000'];

/** Modes for --chmod that are mostly right. */
export const commonModes: readonly string[] = [
  '755',
  '0644',
  '600',
  '4755',
  '1777',
  '2755',
  'u=rwX,go=rX',
  'a+x',
  'go-w',
  'u+s',
  'g+s',
  '+t',
  'u=rw,g=u,o=',
  'a=',
  'o=g',
  '+x',
  '=r',
  'u+x,u-x',
  'a+X',
  '7',
];

/** Modes for --chmod that are odd or wrong. */
export const oddModes: readonly string[] = [
  '07777',
  '$MOD',
  '8',
  'rwx',
  'u+',
  '00755',
  '10000',
  'ug+rwxs',
  'a-rwx,u+r',
  'a=X',
  'g=u-w',
];

/** Patterns for --exclude. */
export const excludePatterns: readonly string[] = [
  '*.md',
  '*.txt',
  '**/x',
  'sub',
  'dir/sub',
  'dir',
  '**',
  '*',
  '!a.txt',
  'deep',
  '**/deep',
  '.*',
  'x',
  './x',
  '/x',
  'dir/x',
  'sub/',
  '$EXC',
  'h*',
  'a.txt',
];
