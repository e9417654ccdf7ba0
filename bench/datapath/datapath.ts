import { runOko } from './oko-runner.ts';
import { scenarios } from './scenarios.ts';

export async function benchDatapath(args: readonly string[]): Promise<void> {
  const only = new RegExp(args.find((arg) => !arg.startsWith('-')) ?? '');
  for (const scenario of scenarios().filter(({ name }) => only.test(name))) {
    const { perCpuSecond } = await runOko(scenario, 3, 1);
    console.log(
      `${scenario.name.padEnd(40)} ${(perCpuSecond / 1e6).toFixed(2).padStart(8)} ${(1e9 / perCpuSecond).toFixed(1).padStart(8)} ns`,
    );
  }
}
