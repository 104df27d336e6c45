import { shownId } from './identifier.ts';
import { optionsFile, optionValues } from './options.ts';
import type { ChosenFeature } from './types.ts';

/** Where features are while they are installed; the same place as in the reference implementation. */
export const INSTALL_ROOT = '/tmp/dev-container-features';
/** What a RUN mounts the files of one feature on; below /dev nothing of a mount point gets into a layer. */
export const MOUNT_POINT = '/dev/dev-container-feature';

/** The variables of all features. */
const USERS_FILE = `${INSTALL_ROOT}/devcontainer-features.builtin.env`;
const OPTIONS_FILE = 'devcontainer-features.env';

/**
 * The script of the first step: it looks up the homes of both users before any feature changes them, and leaves what all
 * features see.
 */
export function usersScript({
  containerUser,
  remoteUser,
}: {
  readonly containerUser: string;
  readonly remoteUser: string;
}): string {
  return `set -e
home_of() {
  if command -v getent >/dev/null 2>&1 && entry=$(getent passwd "$1"); then
    printf '%s\\n' "$entry"
  elif [ -r /etc/passwd ]; then
    while IFS= read -r entry || [ -n "$entry" ]; do
      rest=\${entry#*:}
      rest=\${rest#*:}
      if [ "\${entry%%:*}" = "$1" ] || [ "\${rest%%:*}" = "$1" ]; then
        printf '%s\\n' "$entry"
        break
      fi
    done </etc/passwd
  fi | while IFS=: read -r _ _ _ _ _ home _; do printf '%s' "$home"; done
}
rm -rf ${INSTALL_ROOT}
mkdir -p ${INSTALL_ROOT}
{
  printf '%s\\n' ${shellWord(`_CONTAINER_USER=${shellWord(containerUser)}`)}
  printf '%s\\n' ${shellWord(`_REMOTE_USER=${shellWord(remoteUser)}`)}
  printf "_CONTAINER_USER_HOME='%s'\\n" "$(home_of ${shellWord(containerUser)})"
  printf "_REMOTE_USER_HOME='%s'\\n" "$(home_of ${shellWord(remoteUser)})"
} >${USERS_FILE}
`;
}

/**
 * The script that installs one feature: on a copy of its files, all executable, with the variables of the users and the
 * options. Nothing of the copy is left.
 * @param index the feature's place in the order
 */
export function installScript(chosen: ChosenFeature, index: number): string {
  const { metadata } = chosen.feature;
  const { documentationURL } = metadata;
  const folder = `${INSTALL_ROOT}/${metadata.id}_${index}`;
  const title = featureTitle(chosen);
  const shown = Object.entries(optionValues(metadata, chosen.options)).map(
    ([key, value]) => `${key}=${value}`,
  );
  const failed = `The feature ${title} could not be installed.${
    documentationURL === undefined ? '' : ` Its documentation: ${documentationURL}`
  }`;
  return `set -e
echo ${shellWord(`Installing ${title}${shown.length === 0 ? '' : ` with ${shown.join(', ')}`}`)}
rm -rf ${folder}
cp -a ${MOUNT_POINT}/files ${folder}
chmod -R 0755 ${folder}
cd ${folder}
if (
  set -a
  . ../devcontainer-features.builtin.env
  . ./${OPTIONS_FILE}
  set +a
  exec ./install.sh
); then
  cd /
  rm -rf ${folder}
else
  code=$?
  echo ${shellWord(failed)} >&2
  exit $code
fi
`;
}

/** A feature by its name, its version and its reference. */
export function featureTitle({ id, feature: { metadata } }: ChosenFeature): string {
  const { name, version } = metadata;
  return `${name ?? metadata.id}${version === undefined ? '' : ` ${version}`} (${shownId(id)})`;
}

/** The content and the name of the file with the options. */
export function optionsOf({ feature, options }: ChosenFeature): {
  readonly name: string;
  readonly text: string;
} {
  return { name: OPTIONS_FILE, text: optionsFile(feature.metadata, options) };
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
