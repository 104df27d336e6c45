import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Writes files; objects become JSON, and names that end in `.sh` are executable. */
export function writeFiles(dir: string, files: Readonly<Record<string, string | object>>): string {
  for (const [name, content] of Object.entries(files)) {
    const path = join(dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2), {
      mode: name.endsWith('.sh') ? 0o755 : 0o644,
    });
  }
  return dir;
}

/** Records what an install script sees, below /opt/NAME. */
const RECORD = `#!/bin/sh
set -e
name=$(basename "$(pwd)")
mkdir -p /opt/record
{
  pwd
  id -u
  umask
  env | grep -E '^(_REMOTE_|_CONTAINER_|PATH=|HOME=|USER=|OPTION_|VERSION=|GREETING=|SHOUT=|HELLO_|TOOL_|PORT_)' | sort
  ls -ln . | awk '{ print $1, $3, $4, $NF }' | grep -v '^total' | grep -v devcontainer-features-install.sh
} >/opt/record/"$name"
`;

/** Features for a base with nothing but BusyBox. */
export function featureSources(namespace: string): Readonly<Record<string, string | object>> {
  return {
    'hello/devcontainer-feature.json': {
      id: 'hello',
      version: '1.2.3',
      name: "Hello, it's me",
      documentationURL: 'https://example.com/hello',
      options: {
        greeting: { type: 'string', enum: ['hello', 'hi'], default: 'hello', description: 'What to say' },
        shout: { type: 'boolean', default: false, description: 'How' },
      },
      containerEnv: { HELLO_HOME: '/opt/hello', PATH: '/opt/hello/bin:$PATH', HELLO_QUOTED: 'a "b" \\c' },
      customizations: { vscode: { extensions: ['ms.hello'] } },
      onCreateCommand: 'echo created by hello',
      capAdd: ['SYS_PTRACE'],
      mounts: [{ source: `hello-\${devcontainerId}`, target: '/hello', type: 'volume' }],
    },
    'hello/install.sh': `${RECORD}
mkdir -p /opt/hello/bin
cp data/message /opt/hello/message
printf '#!/bin/sh\\necho "%s"\\n' "$GREETING" >/opt/hello/bin/hello
chmod 755 /opt/hello/bin/hello
mkdir -p /opt/made && chown 1000:1000 /opt/made
`,
    'hello/data/message': 'a message\n',
    'tool/devcontainer-feature.json': {
      id: 'tool',
      version: '2.0.0',
      name: 'Tool',
      options: {
        version: { type: 'string', proposals: ['latest'], default: 'latest' },
        'odd-name.1': { type: 'string', default: 'x y' },
      },
      dependsOn: { [`${namespace}/hello:1`]: { greeting: 'hi' } },
      installsAfter: [`${namespace}/zed`],
      postCreateCommand: { one: 'true', two: ['true'] },
      entrypoint: '/opt/tool/entry.sh',
      privileged: true,
      init: true,
    },
    'tool/install.sh': `${RECORD}
hello >/opt/record/tool-said
mkdir -p /opt/tool
printf '#!/bin/sh\\necho entered\\n' >/opt/tool/entry.sh
chmod 755 /opt/tool/entry.sh
`,
    'zed/devcontainer-feature.json': { id: 'zed', version: '0.1.0', name: 'Zed', legacyIds: ['zee'] },
    'zed/install.sh': `${RECORD}
echo 'late:x:4321:4321::/home/late:/bin/sh' >>/etc/passwd
`,
    'bare/devcontainer-feature.json': {
      id: 'bare',
      version: '1.0.0',
      name: 'Bare',
      options: { b: { type: 'boolean', default: true }, s: { type: 'string', default: '' } },
    },
    'bare/install.sh': RECORD,
  };
}
