import { parseChmod } from '../../context/chmod.ts';
import { createDirectoryTree } from '../../context/dir-tree.ts';
import { resolveCopy } from '../../context/resolve-copy.ts';
import { treeHash } from '../../context/tree-hash.ts';
import type { Canonical } from '../../core/canonical.ts';
import type { Digest } from '../../core/digest.ts';
import { digestFields, operationFields } from '../../plan/keys.ts';
import type { CopyInput, CopyOperation, Operation, Step, TreeSource } from '../../plan/types.ts';
import type { RootfsState } from '../../rootfs/types.ts';
import { createOpenPlain } from '../../sys/beneath.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { StageResult } from '../stage-runner.ts';
import { wholeOf, xattrReader } from './copy-step.ts';

export interface ContentDigestDeps {
  readonly syscalls: () => Syscalls;
  readonly stateOf: (source: TreeSource) => Promise<RootfsState>;
  readonly resultOf: (stage: number) => Promise<StageResult>;
}

/**
 * A function that gives the digest of a step's operation by the content that it reads, not by the keys of the stages
 * that made it: COPY --from counts by its files, a mounted stage by its chain ID. Each step is worked out once.
 */
export function createContentDigests(deps: ContentDigestDeps): (step: Step) => Promise<Digest> {
  const known = new Map<Digest, Promise<Digest>>();
  return (step) => {
    if (step.stages.length === 0) return Promise.resolve(step.operationDigest);
    let digest = known.get(step.key);
    if (!digest) {
      digest = compute(deps, step.operation);
      digest.catch(() => {});
      known.set(step.key, digest);
    }
    return digest;
  };
}

async function compute(deps: ContentDigestDeps, operation: Operation): Promise<Digest> {
  const byChain = new Map<number, Canonical>();
  const resolved: Operation =
    operation.kind === 'copy' ? { ...operation, inputs: await hashInputs(deps, operation) } : operation;
  if (operation.kind === 'run') {
    for (const { source } of operation.mounts) {
      if (source?.type === 'stage')
        byChain.set(source.stage, await (await deps.resultOf(source.stage)).chainId());
    }
  }
  return digestFields(operationFields(resolved, (stage) => byChain.get(stage) ?? null)).digest;
}

async function hashInputs(deps: ContentDigestDeps, operation: CopyOperation): Promise<CopyInput[]> {
  const inputs: CopyInput[] = [];
  for (const input of operation.inputs) {
    if (input.kind !== 'from') {
      inputs.push(input);
      continue;
    }
    const state = await deps.stateOf(input.source);
    const hashed = await state.read(
      async (root): Promise<CopyInput> => {
        const tree = createDirectoryTree({
          root,
          name: 'the source stage',
          xattrs: xattrReader(deps.syscalls()),
          openPlain: createOpenPlain(deps.syscalls()),
          room: { disk: root, syscalls: deps.syscalls() },
        });
        const { excludes, parents, destination, chown, chmod } = operation;
        const items = await resolveCopy(tree, { sources: input.paths, excludes, parents, where: {} });
        const hash = await treeHash(items, {
          ownership: chown === undefined,
          destination,
          ...(chmod === undefined ? {} : { chmod: parseChmod(chmod) }),
          tree,
        });
        return { kind: 'context', items: async () => items, tree, treeHash: hash };
      },
      wholeOf(operation, input.paths),
    );
    inputs.push(hashed);
  }
  return inputs;
}
