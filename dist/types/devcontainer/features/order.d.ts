import { type Where } from '../../core/error.ts';
import { type Comparable } from './compare.ts';
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
export declare function installOrder<Node extends Ordered>(nodes: readonly Node[], where: Where): Node[];
