type Undo = () => Promise<void> | void;

export interface CleanUp {
  /** Registers something to undo at the end; the last registered is undone first. */
  add(undo: Undo): void;
  /** Undoes everything registered so far; a failing one is reported and does not stop the others. */
  run(): Promise<void>;
}

/** A list of things to undo, which is worked off too when SIGINT, SIGTERM or SIGHUP ends us. */
export function createCleanUp(): CleanUp {
  const pending: Undo[] = [];
  const run = async () => {
    for (let undo = pending.pop(); undo !== undefined; undo = pending.pop()) {
      try {
        await undo();
      } catch (error) {
        process.stderr.write(`clean-up: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  };
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => {
      process.stderr.write(`\n${signal}: cleaning up\n`);
      run().finally(() => process.exit(code));
    });
  }
  return { add: (undo) => pending.push(undo), run };
}
