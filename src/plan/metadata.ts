import type { Command, HealthcheckInstruction, Instruction } from '../dockerfile/types.ts';
import type { ContainerConfig, Healthcheck } from '../oci/types.ts';
import { exposedPorts } from './ports.ts';
import { expand, expandAll, type StageState, shellOf, stageError, whereOf } from './stage-state.ts';
import { isSignal } from './stop-signal.ts';

/** Instructions that change only the image's config, never files and never a key of their own. */
export type MetadataInstruction = Exclude<Instruction, { kind: 'run' | 'copy' | 'add' | 'workdir' | 'arg' }>;

/** Applies one of them to the stage's config, as Docker stores it. @returns the line of the history, with variables expanded where Docker's are */
export function applyMetadata(state: StageState, instruction: MetadataInstruction): string {
  const { range } = instruction;
  const set = (change: Partial<ContainerConfig>): void => {
    state.config = { ...state.config, ...change };
  };
  const words = (list: readonly string[]): string[] => expandAll(state, list, range);
  const expanded = ({ key, value }: { readonly key: string; readonly value: string }) =>
    [expand(state, key, range), expand(state, value, range)] as const;
  const keys = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]));
  switch (instruction.kind) {
    case 'env': {
      const pairs = instruction.pairs.map(expanded);
      for (const [key, value] of pairs) state.environment.setEnv(key, value);
      return historyLine('ENV', pairs);
    }
    case 'label': {
      const pairs = instruction.pairs.map(expanded);
      set({ Labels: { ...state.config.Labels, ...Object.fromEntries(pairs) } });
      return historyLine('LABEL', pairs);
    }
    case 'user': {
      const user = expand(state, instruction.user, range);
      set({ User: user });
      return `USER ${user}`;
    }
    case 'shell':
      set({ Shell: instruction.argv });
      break;
    case 'cmd':
      state.cmdSet = true;
      set({
        Cmd: commandLine(state, instruction.command),
        ArgsEscaped: instruction.command.form === 'shell',
      });
      break;
    case 'entrypoint': {
      const { Cmd, ...rest } = state.config;
      state.config = { ...rest, Entrypoint: commandLine(state, instruction.command) };
      if (state.cmdSet && Cmd) set({ Cmd });
      break;
    }
    case 'expose':
      set({
        ExposedPorts: {
          ...state.config.ExposedPorts,
          ...keys(exposedPorts(words(instruction.ports), whereOf(state.dockerfile, range))),
        },
      });
      break;
    case 'volume': {
      const paths = instruction.paths.map((path) => expand(state, path, range));
      if (paths.some((path) => path.trim() === ''))
        throw stageError(state, range, 'VOLUME has an empty path');
      set({ Volumes: { ...state.config.Volumes, ...keys(paths) } });
      break;
    }
    case 'stopsignal': {
      const signal = stopSignal(state, expand(state, instruction.signal, range), instruction);
      set({ StopSignal: signal });
      return `STOPSIGNAL ${signal}`;
    }
    case 'healthcheck':
      set({ Healthcheck: healthcheck(instruction) });
      break;
    case 'maintainer':
      state.author = instruction.name;
      break;
    case 'onbuild':
      set({ OnBuild: [...(state.config.OnBuild ?? []), instruction.trigger] });
      break;
  }
  return instruction.text;
}

/** As Docker writes names with their values: expanded, and without quotes; a name alone where there is no value. */
export function historyLine(
  keyword: string,
  pairs: readonly (readonly [key: string, value: string | undefined])[],
): string {
  return [keyword, ...pairs.map(([key, value]) => (value === undefined ? key : `${key}=${value}`))].join(' ');
}

/** A command as argv: the shell form under the stage's shell. */
export function commandLine(state: StageState, command: Command): readonly string[] {
  return command.form === 'exec' ? command.argv : [...shellOf(state), command.line];
}

function healthcheck({ check }: HealthcheckInstruction): Healthcheck {
  if (!check) return { Test: ['NONE'] };
  const test =
    check.command.form === 'exec' ? ['CMD', ...check.command.argv] : ['CMD-SHELL', check.command.line];
  return {
    Test: test,
    ...(check.interval ? { Interval: check.interval } : {}),
    ...(check.timeout ? { Timeout: check.timeout } : {}),
    ...(check.startPeriod ? { StartPeriod: check.startPeriod } : {}),
    ...(check.startInterval ? { StartInterval: check.startInterval } : {}),
    ...(check.retries ? { Retries: check.retries } : {}),
  };
}

function stopSignal(state: StageState, signal: string, instruction: MetadataInstruction): string {
  if (isSignal(signal)) return signal;
  throw stageError(
    state,
    instruction.range,
    `STOPSIGNAL has the invalid signal "${signal}"`,
    'write a name such as SIGTERM, or a number',
  );
}
