import type { Services } from '../../scripts/lib/services.ts';
import { openPlace, PLACES, type PlaceName } from '../support/cache-place.ts';
import { race } from '../support/race.ts';
import { createSandbox } from '../support/sandbox.ts';
import { createRandom } from './random.ts';
import type { Finding } from './workplace.ts';

/** Places where builds wait for each other, so that it can be counted how often a RUN is executed. */
const COUNTED: readonly PlaceName[] = PLACES.filter(
  (name) => name !== 'a registry with immutable tags' && name !== 'a registry that takes no leases',
);
/** Most executions of a RUN, on average over all seeds so far without kills. */
const MOST_RUNS = 1.2;

/** A function that lets 2 to 8 builds race for the cache of a place, which is another one at every seed. */
export function compareRaces(): (services: Services, seed: number) => Promise<Finding | string> {
  let [runs, keys] = [0, 0];
  return async (services, seed) => {
    const random = createRandom(seed * 53 + 11);
    const name = PLACES[seed % PLACES.length]!;
    const builders = 2 + random.int(7);
    const kills = random.chance(0.4) ? 1 + random.int(builders) : 0;
    const box = createSandbox();
    const { host } = services.registry!;
    const place = await openPlace(name, box.dir, host);
    try {
      const digests = name === 'a registry that takes no leases' ? 'any' : 'one';
      const result = await race({ seed, place, base: `${host}/busybox:1`, builders, kills, digests });
      const lines = result.dockerfile.split('\n');
      const found = (kind: string, text: string) => ({ kind, text, lines });
      if (result.problems.length > 0) return found('race', result.problems.join('\n'));
      if (kills === 0 && COUNTED.includes(name)) {
        for (const count of result.executed.values()) runs += count;
        keys += result.executed.size;
        if (runs > MOST_RUNS * keys) return found('runs', `${runs} executions of ${keys} steps so far`);
      }
      return `${builders} builds, ${kills} killed, in ${name}: ${result.waited} waited, ${runs} executions of ${keys} steps so far`;
    } finally {
      await place.stop();
      box.close();
    }
  };
}
