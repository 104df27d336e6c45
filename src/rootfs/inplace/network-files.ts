/** Files of the container that are right for a RUN as they are: whoever runs it has made them. */
export const NETWORK_FILES: readonly string[] = ['/etc/resolv.conf', '/etc/hosts', '/etc/hostname'];
