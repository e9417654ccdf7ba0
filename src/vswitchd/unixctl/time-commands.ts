import { type Command, command } from './command.ts';
import { refusal } from './errors.ts';
import type { DummyControl } from './switch-view.ts';

const NS_PER_MS = 1_000_000n;
/** A warp in small steps: more than that many would keep the switch from everything else for too long. */
const MAX_STEPS = 1_000_000;
/** Steps between two turns of the event loop. */
const STEPS_PER_TURN = 16;

/** time/*: a clock that a test moves. */
export function timeCommands({ clock, run }: DummyControl): readonly Command[] {
  return [
    command('time/stop', '', [0, 0], () => {
      clock.stop();
      return '';
    }),
    command('time/warp', '[large_msecs] msecs', [1, 2], async (args) => {
      const [total, step] = args.length === 2 ? args.map(readMs) : [readMs(args[0]), readMs(args[0])];
      if (step > total || total / step > MAX_STEPS) throw refusal('invalid MSECS');
      let steps = 0;
      for (let left = total; left > 0; left -= step) {
        clock.warp(BigInt(Math.min(step, left)) * NS_PER_MS);
        run();
        // Connections and timers have their turns, as they would have had while the time went by.
        if (++steps % STEPS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await new Promise((resolve) => setImmediate(resolve));
      return 'warped';
    }),
  ];
}

function readMs(text: string): number {
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (ms === 0) throw refusal('invalid MSECS');
  return ms;
}
