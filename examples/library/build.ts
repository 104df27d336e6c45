// Builds a context into a directory with a cache beside it, and says what it took from there:
//   node build.ts CONTEXT CACHE DESTINATION
import { AppError, build } from 'envbuilder';

const [context = '.', cache = 'cache', destination = 'rootfs'] = process.argv.slice(2);
try {
  const { imageDigest, summary } = await build(
    {
      context,
      cache: { type: 'directory', path: cache },
      outputs: [{ type: 'rootfs', path: destination }],
    },
    { onEvent: (event) => event.type === 'step-output' && process.stderr.write(event.text) },
  );
  console.log(`${imageDigest}: ${summary.stepsHit} steps from the cache, ${summary.stepsBuilt} built`);
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  console.error(`${error.code}: ${error.message}${error.hint ? `; ${error.hint}` : ''}`);
  process.exitCode = 1;
}
