/** Capability numbers that the program asks about (linux/capability.h). */
export declare const CAP: {
    readonly SETPCAP: 8;
    readonly SYS_CHROOT: 18;
    readonly SYS_ADMIN: 21;
    readonly MKNOD: 27;
};
/**
 * What Docker gives a container by default (moby, default capabilities): chown, dac_override, fowner, fsetid, kill,
 * setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap.
 */
export declare const DOCKER_CAPABILITIES: readonly number[];
/** The highest capability number that any kernel knows so far, with room. */
export declare const LAST_CAPABILITY = 63;
