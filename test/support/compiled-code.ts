/**
 * JavaScript for the Node of a bundle: prints `taken` where it takes the compiled code beside the script of the command line.
 * @param app the directory of the bundle
 */
export function takesCode(app: string): string {
  return `
const fs = require('node:fs');
const app = ${JSON.stringify(app)};
const name = fs.readdirSync(app).find((file) => file.endsWith('.code')).slice(0, -5);
const { Script } = require('node:vm');
const cachedData = fs.readFileSync(app + '/' + name + '.code').subarray(8);
const script = new Script(fs.readFileSync(app + '/' + name + '.cjs', 'latin1'), { cachedData });
process.stdout.write(script.cachedDataRejected === false ? 'taken' : 'not taken');
`;
}
