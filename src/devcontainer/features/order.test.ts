import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { type Comparable, isMeant, sameFeature } from './compare.ts';
import { parseFeatureId } from './identifier.ts';
import { installOrder, type Ordered } from './order.ts';

function feature(name: string, options: Comparable['options'] = {}): Comparable {
  const id = parseFeatureId(`r.io/o/${name}`, { configFile: '/w/devcontainer.json', where: {} });
  return { id, options, digest: digestOf(name) };
}

interface Given {
  readonly name: string;
  readonly needs?: readonly string[];
  readonly after?: readonly string[];
  readonly priority?: number;
}

function node({ name, needs = [], after = [], priority = 0 }: Given): Ordered {
  return {
    ...feature(name),
    aliases: [name],
    dependsOn: needs.map((each) => feature(each)),
    installsAfter: after.map((each) => feature(each)),
    priority,
  };
}

const namesOf = (order: readonly Ordered[]) =>
  order.map(({ id }) => (id.type === 'oci' ? id.name : '')).join(' ');
const order = (...given: Given[]) => namesOf(installOrder(given.map(node), {}));

describe('installOrder', () => {
  it('sorts what does not depend on each other', () =>
    assert.equal(order({ name: 'c' }, { name: 'a' }, { name: 'b' }), 'a b c'));

  it('puts dependencies first, hard and soft ones', () =>
    assert.equal(
      order({ name: 'a', needs: ['z'] }, { name: 'b', after: ['a'] }, { name: 'c' }, { name: 'z' }),
      'c z a b',
    ));

  it('takes the highest priority of each round alone', () =>
    assert.equal(
      order(
        { name: 'a' },
        { name: 'b', priority: 1 },
        { name: 'c', priority: 2, needs: ['d'] },
        { name: 'd' },
      ),
      'b a d c',
    ));

  it('names the circle', () => {
    const nodes = [
      { name: 'x' },
      { name: 'a', needs: ['b'] },
      { name: 'b', after: ['c'] },
      { name: 'c', needs: ['a'] },
    ];
    assert.throws(
      () => installOrder(nodes.map(node), {}),
      (error) =>
        error instanceof AppError &&
        error.code === 'DEVCONTAINER' &&
        /circle: r.io\/o\/a → r.io\/o\/b → r.io\/o\/c → r.io\/o\/a$/.test(error.message),
    );
  });

  it('says so when a feature waits for itself', () =>
    assert.throws(() => order({ name: 'a', after: ['a'] }), /circle: r.io\/o\/a → r.io\/o\/a/));

  /** Graphs without circles: a feature depends only on those with a smaller number, whatever their names sort like. */
  const graphs = fc.integer({ min: 1, max: 9 }).chain((size) =>
    fc
      .tuple(
        fc.shuffledSubarray([...'abcdefghi'].slice(0, size), { minLength: size }),
        fc.array(fc.record({ needs: fc.nat(), after: fc.nat(), priority: fc.nat(2) }), {
          minLength: size,
          maxLength: size,
        }),
      )
      .map(([names, edges]) => {
        const chosen = (bits: number, below: number) =>
          names.slice(0, below).filter((_, i) => bits & (1 << i));
        return edges.map(({ needs, after, priority }, i) => ({
          name: names[i]!,
          needs: chosen(needs, i),
          after: chosen(after, i),
          priority,
        }));
      }),
  );

  it('installs each once and after all that it waits for, in whatever order they are given', () =>
    fc.assert(
      fc.property(graphs, fc.infiniteStream(fc.nat()), (given, dice) => {
        const expected = installOrder(given.map(node), {});
        assert.equal(expected.length, given.length);
        for (const [i, each] of expected.entries()) {
          const before = expected.slice(0, i);
          assert.ok(each.dependsOn.every((needed) => before.some((done) => sameFeature(done, needed))));
          assert.ok(each.installsAfter.every((meant) => before.some((done) => isMeant(done, meant))));
        }
        const shuffled = [...given].sort(() => (dice.next().value! % 2 === 0 ? -1 : 1));
        assert.equal(namesOf(installOrder(shuffled.map(node), {})), namesOf(expected));
      }),
    ));

  it('finds a circle in every graph that has one', () =>
    fc.assert(
      fc.property(graphs, (given) => {
        const [first] = given;
        const closed = [
          ...given,
          { name: 'z', needs: given.map(({ name }) => name), after: [], priority: 0 },
        ];
        closed[0] = { ...first!, needs: ['z'] };
        assert.throws(() => installOrder(closed.map(node), {}), { code: 'DEVCONTAINER', message: /circle/ });
      }),
    ));
});
