import { AppError, type Where } from '../../core/error.ts';
import { type Comparable, compareFeatures, isMeant, sameFeature } from './compare.ts';
import { shownId } from './identifier.ts';

/** What the order depends on. */
export interface Ordered extends Comparable {
  readonly dependsOn: readonly Comparable[];
  readonly installsAfter: readonly Pick<Comparable, 'id' | 'aliases'>[];
  readonly priority: number;
}

/**
 * The order in which features are installed (Dev Container Features reference, "Round-based sorting").
 * @throws AppError DEVCONTAINER naming a circle of dependencies
 */
export function installOrder<Node extends Ordered>(nodes: readonly Node[], where: Where): Node[] {
  const order: Node[] = [];
  let waiting = [...nodes];
  while (waiting.length > 0) {
    const ready = waiting.filter(
      (node) =>
        node.dependsOn.every((needed) => order.some((done) => sameFeature(done, needed))) &&
        node.installsAfter.every((meant) => order.some((done) => isMeant(done, meant))),
    );
    if (ready.length === 0) throw circleError(waiting, where);
    const highest = Math.max(...ready.map(({ priority }) => priority));
    const round = ready.filter(({ priority }) => priority === highest);
    waiting = waiting.filter((node) => !round.some((done) => sameFeature(done, node)));
    order.push(...round.sort(compareFeatures));
  }
  return order;
}

function circleError(waiting: readonly Ordered[], where: Where): AppError {
  const next = (node: Ordered): Ordered | undefined =>
    waiting.find(
      (other) =>
        node.dependsOn.some((needed) => sameFeature(other, needed)) ||
        node.installsAfter.some((meant) => isMeant(other, meant)),
    );
  // Every node that waits has one that it waits for, so that the way comes back to where it was.
  const path: Ordered[] = [];
  let at: Ordered | undefined = waiting[0];
  while (at && !path.includes(at)) {
    path.push(at);
    at = next(at);
  }
  const circle = at ? [...path.slice(path.indexOf(at)), at] : path;
  return new AppError(
    'DEVCONTAINER',
    `features wait for each other in a circle: ${circle.map(({ id }) => shownId(id)).join(' → ')}`,
    { where, hint: 'leave one of them out, or report the circle to the authors of the features' },
  );
}
