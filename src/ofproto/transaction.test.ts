import { describe, expect, it } from 'vitest';
import { CallbackPort, ManualClock } from '../datapath/index.ts';
import { type FlowMod, parseFlow } from '../openflow/index.ts';
import { ethernet, ipv4, udp } from '../packet/build.ts';
import { Bridge } from './bridge.ts';
import { FilterPrograms } from './filter-programs.ts';

const programs = new FilterPrograms({ windowBits: 20 });
const packet = ethernet(
  { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' },
  ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, udp({ src: 1, dst: 53 })),
);

function testBridge(flows: readonly string[] = []) {
  const bridge = new Bridge({ name: 'br0', clock: new ManualClock(1n), programs });
  const sent: number[] = [];
  for (const port of [1, 2, 3]) bridge.addPort(port, new CallbackPort(`p${port}`, () => sent.push(port)));
  for (const flow of flows) bridge.flowMod(parseFlow(flow));
  const receive = (): number[] => {
    sent.length = 0;
    bridge.receive(1, packet);
    return [...sent];
  };
  return { bridge, receive };
}

/** Adds for as many addresses, none of which a packet here has. */
function manyFlows(count: number): FlowMod[] {
  const octets = (i: number): string => `${(i >> 16) & 0xff}.${(i >> 8) & 0xff}.${i & 0xff}`;
  return Array.from({ length: count }, (_, i) => parseFlow(`priority=9,ip,nw_dst=11.${octets(i)},actions=output:2`));
}

const BAD = parseFlow('actions=group:7');

describe.each(['at once', 'in slices'] as const)('a transaction %s', (how) => {
  const commit = async (transaction: ReturnType<Bridge['transaction']>): Promise<void> => {
    if (how === 'at once') transaction.commit();
    else await transaction.commitInSlices();
  };

  it('does all that it holds, in order', async () => {
    const { bridge, receive } = testBridge(['priority=1,actions=output:2', 'priority=2,tcp,actions=drop']);
    const transaction = bridge.transaction();
    transaction.flowMod(parseFlow('', 'delete'));
    transaction.flowMod(parseFlow('priority=3,udp,actions=output:2'));
    transaction.flowMod(parseFlow('priority=3,udp,actions=output:3'));
    expect(receive()).toEqual([2]);
    await commit(transaction);
    expect(receive()).toEqual([3]);
    expect(bridge.flows()).toHaveLength(1);
  });

  it('does nothing when something in it cannot be', async () => {
    const flows = ['priority=1,actions=output:2', 'priority=2,tcp,actions=drop'];
    const { bridge, receive } = testBridge(flows);
    receive();
    const transaction = bridge.transaction();
    transaction.flowMod(parseFlow('tcp', 'delete'));
    transaction.flowMod(parseFlow('priority=1,actions=output:3'));
    transaction.flowMod(parseFlow('priority=5,actions=output:3'));
    transaction.flowMod(BAD);
    await expect(commit(transaction)).rejects.toMatchObject({ code: 'OFPROTO_NO_SUCH_GROUP' });
    expect(transaction.failedAt).toBe(3);
    expect(receive()).toEqual([2]);
    expect(bridge.flows().map(({ priority, packets }) => [priority, packets])).toEqual([
      [1, 2],
      [2, 0],
    ]);
    // Nothing is left that would be in the way.
    bridge.flowMod(parseFlow('priority=5,check_overlap,actions=output:3'));
    expect(receive()).toEqual([3]);
  });
});

describe('a transaction in slices', () => {
  it('lets packets pass meanwhile, which meet the tables as they were', async () => {
    const { bridge, receive } = testBridge(['priority=1,actions=output:2']);
    const transaction = bridge.transaction();
    transaction.flowMod(parseFlow('', 'delete'));
    for (const flow of manyFlows(20_000)) transaction.flowMod(flow);
    transaction.flowMod(parseFlow('priority=1,actions=output:3'));
    let isDone = false;
    const done = transaction.commitInSlices().then(() => {
      isDone = true;
    });
    let passed = 0;
    while (!isDone) {
      const ports = receive();
      if (ports[0] === 3) break;
      expect(ports).toEqual([2]);
      passed++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
    expect(passed).toBeGreaterThan(1);
    expect(receive()).toEqual([3]);
    expect(bridge.flows()).toHaveLength(20_001);
  });

  it('is completed at once when something else needs the tables', async () => {
    const { bridge, receive } = testBridge(['priority=1,actions=output:2']);
    const transaction = bridge.transaction();
    for (const flow of manyFlows(20_000)) transaction.flowMod(flow);
    transaction.flowMod(parseFlow('priority=1,actions=output:3'));
    const done = transaction.commitInSlices();
    bridge.flowMod(parseFlow('priority=2,actions=output:1,IN_PORT'));
    expect(bridge.flows()).toHaveLength(20_002);
    expect(receive()).toEqual([1]);
    await done;
    expect(bridge.flows()).toHaveLength(20_002);
  });

  it('tells listeners of what it did before anything that came after it', async () => {
    const { bridge } = testBridge();
    for (const flow of manyFlows(300)) bridge.flowMod(flow);
    const heard: string[] = [];
    bridge.listen({
      flowsChanged: (changes) => heard.push(...changes.map(({ kind, rule }) => `${kind} ${rule.priority}`)),
      flowRemoved: ({ rule }) => heard.push(`gone ${rule.priority}`),
    });
    const done = bridge.flowModInSlices(parseFlow('ip', 'delete'));
    bridge.flowMod(parseFlow('priority=2,actions=output:1'));
    await done;
    expect(heard.filter((text) => text === 'removed 9')).toHaveLength(300);
    expect(heard.filter((text) => text === 'gone 9')).toHaveLength(300);
    expect(heard.at(-1)).toBe('added 2');
  });

  it('takes back slice by slice what cannot be', async () => {
    const { bridge, receive } = testBridge(['priority=1,actions=output:2']);
    const transaction = bridge.transaction();
    transaction.flowMod(parseFlow('', 'delete'));
    for (const flow of manyFlows(20_000)) transaction.flowMod(flow);
    transaction.flowMod(BAD);
    let turns = 0;
    let isDone = false;
    const done = transaction.commitInSlices().catch((error) => {
      isDone = true;
      return error;
    });
    for (; !isDone; turns++) {
      expect(receive()).toEqual([2]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await done).toMatchObject({ code: 'OFPROTO_NO_SUCH_GROUP' });
    expect(turns).toBeGreaterThan(1);
    expect(bridge.flows()).toHaveLength(1);
  });
});

describe('timeouts of many flows', () => {
  it('take effect some flows at a time, each flow once', () => {
    const clock = new ManualClock(1n);
    const bridge = new Bridge({ name: 'br0', clock, programs });
    const COUNT = 2000;
    for (const flow of manyFlows(COUNT)) bridge.flowMod({ ...flow, hardTimeout: 10 });
    bridge.flowMod(parseFlow('hard_timeout=11,actions=drop'));
    let removed = 0;
    bridge.listen({ flowRemoved: () => removed++ });
    clock.advanceTo(10_500_000_000n);
    expect(bridge.run()).toBe(true);
    expect(removed).toBeGreaterThan(0);
    expect(removed).toBeLessThan(COUNT / 2);
    while (bridge.run());
    expect(removed).toBe(COUNT);
    expect(bridge.flows()).toHaveLength(1);
    clock.advanceTo(12_000_000_000n);
    bridge.run();
    expect(bridge.flows()).toHaveLength(0);
  });
});
