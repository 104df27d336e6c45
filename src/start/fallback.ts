import { AppError, type ErrorCode } from '../core/error.ts';

/** After which failures of each part a fallback image may still work; all others end the start. */
const CODES = {
  workspace: ['WORKSPACE', 'AUTH'],
  definition: [
    'DEVCONTAINER',
    'DOCKERFILE',
    'CONTEXT',
    'REFERENCE',
    'REGISTRY',
    'AUTH',
    'CORRUPT',
    'OUTSIDE',
  ],
  build: [
    'BUILD_FAILED',
    'DOCKERFILE',
    'DEVCONTAINER',
    'CONTEXT',
    'REFERENCE',
    'REGISTRY',
    'AUTH',
    'CORRUPT',
    'WORKSPACE',
    'OUTSIDE',
  ],
} as const satisfies Record<string, readonly ErrorCode[]>;

/**
 * The failure of a part, when a fallback image may still work.
 * @throws the failure itself when it may not
 */
export function fallbackReason(failure: unknown, part: keyof typeof CODES): AppError {
  const codes: readonly ErrorCode[] = CODES[part];
  if (failure instanceof AppError && codes.includes(failure.code)) return failure;
  throw failure;
}
