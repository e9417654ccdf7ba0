import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../datapath/index.ts';
import { parseFlow } from '../../openflow/index.ts';
import { Bridge } from '../bridge.ts';
import { type FailMode, FailOpen } from './fail-mode.ts';

const PROBE_MS = 5000;
/** From 02:00:00:00:00:01 to everybody. */
const PACKET = Uint8Array.from([...new Array(6).fill(0xff), 2, 0, 0, 0, 0, 1, 0x88, 0xb5, ...new Array(46).fill(0)]);

function setUp(mode: FailMode) {
  const bridge = new Bridge({ name: 'br0', clock: new ManualClock(1n) });
  const sent: number[] = [];
  for (const number of [1, 2]) bridge.addPort(number, { name: `p${number}`, send: () => sent.push(number) > 0 });
  const failOpen = new FailOpen(bridge, mode);
  failOpen.configured(true);
  bridge.flowMod(parseFlow('priority=5,actions=drop', 'add'));
  const forwards = (): boolean => {
    sent.length = 0;
    bridge.receive(1, PACKET);
    return sent.length > 0;
  };
  return { bridge, failOpen, forwards };
}

describe('a bridge whose controllers are gone', () => {
  it('in standalone mode goes its own way after three probe intervals, and back when one returns', () => {
    const { bridge, failOpen, forwards } = setUp('standalone');
    failOpen.check(true, 0, PROBE_MS);
    failOpen.check(false, 1000, PROBE_MS);
    failOpen.check(false, 15_999, PROBE_MS);
    expect([failOpen.isOpen, forwards(), bridge.flows().length]).toEqual([false, false, 1]);
    failOpen.check(false, 16_000, PROBE_MS);
    expect([failOpen.isOpen, forwards(), bridge.flows().length]).toEqual([true, true, 0]);
    failOpen.check(true, 17_000, PROBE_MS);
    expect([failOpen.isOpen, forwards()]).toEqual([false, false]);
  });

  it('starts to count anew when a controller has been there in between', () => {
    const { failOpen } = setUp('standalone');
    failOpen.check(false, 0, PROBE_MS);
    failOpen.check(true, 14_000, PROBE_MS);
    failOpen.check(false, 14_500, PROBE_MS);
    failOpen.check(false, 29_000, PROBE_MS);
    expect(failOpen.isOpen).toBe(false);
  });

  it('in secure mode keeps to its flows', () => {
    const { bridge, failOpen, forwards } = setUp('secure');
    failOpen.check(false, 0, PROBE_MS);
    failOpen.check(false, 1_000_000, PROBE_MS);
    expect([failOpen.isOpen, forwards(), bridge.flows().length]).toEqual([false, false, 1]);
  });
});
