/* Reads a template from standard input, and writes it as JSON. The parser leaves a program running, so it has its own process. */
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

// Its types refer to those of browsers, which would then be there in all our sources.
const require = createRequire(import.meta.url);
const hcl: { readonly parse: (name: string, text: string) => Promise<unknown> } = require('@cdktf/hcl2json');

const parsed = JSON.stringify(await hcl.parse('main.tf', await text(process.stdin)));
process.stdout.write(parsed, () => process.exit(0));
