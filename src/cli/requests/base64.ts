import { AppError } from '../../core/error.ts';

/**
 * The text that a variable holds in base64, in any of its two alphabets and with or without padding.
 * @throws AppError USAGE
 */
export function decodeBase64(variable: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const compact = text.replace(/\s+/g, '');
  if (/^[A-Za-z0-9+/_-]*={0,2}$/.test(compact) && compact.replace(/=+$/, '').length % 4 !== 1) {
    return Buffer.from(compact, 'base64').toString('utf8');
  }
  throw new AppError('USAGE', `${variable} is not base64`, {
    hint: 'encode the file with `base64 -w0 FILE`',
  });
}
