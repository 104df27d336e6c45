/** When a service that has ended is started again. */
export interface RestartPolicy {
  readonly when: 'no' | 'on-failure' | 'always';
  /** How often after failures; 0 is without an end. */
  readonly most: number;
}

/** What the loop says when it is there. */
export const LOOP_THERE = 'there\n';

/**
 * A shell script that runs a service: it waits for a line, so that it is known before anything begins, hands a ContainerSpec
 * of descriptor 6 on to the command behind its first two arguments, and starts that again as the policy says. Descriptor 7
 * is where the first start is told of, 8 gets a line with each exit code. Times between starts are tenths of a second: they
 * double up to a minute, and begin anew when it has run for ten seconds, as under Docker.
 */
export const LOOP = `spec=$(cat <&6)
exec 6<&-
printf '${LOOP_THERE.trim()}\\n' >&7
read -r _ || exit 0
exec </dev/null
policy=$1 most=$2
shift 2
failed=0 wait=1
while :; do
  begun=$(date +%s)
  printf '%s\\n' "$spec" | "$@" 6<&0 </dev/null
  code=$?
  printf '%s\\n' "$code" >&8
  exec 7>/dev/null
  case $policy in
    always) ;;
    on-failure)
      [ "$code" != 0 ] || exit 0
      failed=$((failed + 1))
      [ "$most" = 0 ] || [ "$failed" -le "$most" ] || exit 0 ;;
    *) exit 0 ;;
  esac
  [ $(($(date +%s) - begun)) -lt 10 ] || wait=1
  sleep "$((wait / 10)).$((wait % 10))"
  wait=$((wait * 2))
  [ "$wait" -le 600 ] || wait=600
done`;

/**
 * A shell script that is the first process of a container in place of its command, which is its arguments: it hands signals
 * on to that, takes the exit codes of orphans, and ends as it does: after a wait that a signal has interrupted it asks again,
 * since the command may have ended meanwhile (127 says that nothing more is known). It goes on when its command has changed
 * the root.
 */
export const INIT = `got='' child=''
for name in TERM INT HUP QUIT USR1 USR2; do trap "got=$name; kill -s $name \\$child 2>/dev/null" "$name"; done
"$@" &
child=$!
[ -z "$got" ] || kill -s "$got" "$child" 2>/dev/null
while :; do
  wait "$child"
  code=$?
  [ "$code" -gt 128 ] || exit "$code"
  kill -0 "$child" 2>/dev/null || break
done
wait "$child"
ended=$?
[ "$ended" = 127 ] || code=$ended
exit "$code"`;
