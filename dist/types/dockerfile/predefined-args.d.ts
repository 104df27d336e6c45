/** ARGs that exist in the global scope without being declared (Dockerfile reference, "Automatic platform ARGs"). */
export declare const PREDEFINED_ARGS: readonly ['BUILDPLATFORM', 'BUILDOS', 'BUILDOSVERSION', 'BUILDARCH', 'BUILDVARIANT', 'TARGETPLATFORM', 'TARGETOS', 'TARGETOSVERSION', 'TARGETARCH', 'TARGETVARIANT', 'TARGETSTAGE'];
