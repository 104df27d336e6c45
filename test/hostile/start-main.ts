/*
 * Process 1 of a container that own-container.sh makes: takes the old root away, gives up the rights beyond Docker's default
 * ones, and becomes the program of the image, with the variables in ENVBUILDER_TEST_START and no others.
 */
import { DOCKER_CAPABILITIES } from '../../src/sys/capabilities.ts';
import { MNT_DETACH } from '../../src/sys/constants.ts';
import { createSyscalls } from '../../src/sys/syscalls.ts';

const syscalls = createSyscalls();
syscalls.umount('.', MNT_DETACH);
process.chdir('/');
syscalls.setCapabilities(DOCKER_CAPABILITIES);
const program = '/.envbuilder/bin/envbuilder';
process.execve!(program, [program], JSON.parse(process.env.ENVBUILDER_TEST_START ?? '{}'));
