import { describe, expect, it } from 'vitest';
import { CASES, PORT_VLANS } from './cases.ts';
import { PipelineBridge } from './pipeline-bridge.ts';

describe.each(Object.entries(CASES))('%s', (group, cases) => {
  it.each(
    cases.map((test) => [test.flows.join('; '), test.steps.map(([arrival]) => arrival).join('; '), test] as const),
  )('%s, %s', (_flows, _packets, { flows, steps }) => {
    const bridge = new PipelineBridge(flows, [1, 2, 3, 4], PORT_VLANS[group]);
    for (const [arrival, departures] of steps) {
      expect(bridge.receive(arrival)).toEqual(departures);
      // NORMAL has learnt, which may change where the same packet goes, but never where a host is not known.
      if (steps.length === 1) expect(bridge.receive(arrival), 'by the cache').toEqual(departures);
    }
  });
});
