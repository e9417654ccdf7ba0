import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../test/support/property-runs.ts';
import { OpenflowError } from '../openflow/index.ts';
import { parseFlowFile } from './flow-file.ts';

const RUNS = runs(10_000);

const FLOWS = [
  'priority=10,arp,actions=NORMAL',
  'cookie=0x1f,priority=1,in_port=1,filter_prog=1,actions=output:2',
  'tcp,nw_src=10.0.0.0/8,nw_dst=192.168.1.1,tp_dst=80,actions=2,3',
  'udp,tp_src=0x35/0xfff0,dl_src=02:00:00:00:00:01,actions=IN_PORT',
  'dl_vlan=10,ip,nw_proto=47,actions=FLOOD',
  'ipv6,ipv6_src=fe80::/10,actions=drop',
  'table=1,reg0=0x5/0xf,actions=load:0x7->NXM_NX_REG1[],resubmit(,2)',
  'icmp,icmp_type=8,actions=mod_dl_dst:02:00:00:00:00:02,output:1',
];

describe('a file of flows', () => {
  it('is read line by line, without comments and empty lines', () => {
    const flows = parseFlowFile('flows', '\n# all\npriority=1,ip,actions=2 # the rest\n\n  arp,actions=NORMAL\n');
    expect(flows.map(({ priority }) => priority)).toEqual([1, 0x8000]);
  });

  it('that is shipped as an example is sound', () => {
    const name = new URL('../../examples/flows/rate-limit.txt', import.meta.url);
    expect(parseFlowFile('rate-limit.txt', readFileSync(name, 'utf8'))).toHaveLength(4);
  });

  it('names the line at fault and keeps the code', () => {
    expect(() => parseFlowFile('my-flows', 'ip,actions=1\ntp_dst=80,actions=2\n')).toThrowError(
      expect.objectContaining({
        message: expect.stringMatching(/^my-flows:2: /),
        code: 'OPENFLOW_MISSING_PREREQUISITE',
      }),
    );
  });

  it(`survives mutated texts (${RUNS} of them): flows, or an error with a code in one line`, () => {
    const piece = fc.oneof(
      fc.constantFrom(...FLOWS.flatMap((flow) => flow.split(/(?<=[,=:()>/])/))),
      fc.string({ maxLength: 4 }),
      fc.constantFrom('=', ',', '(', ')', '->', '[', ']', '0x', '/', ':', '-1', '99999999999999999999', '\0', '%s'),
    );
    const mutated = fc
      .tuple(fc.constantFrom(...FLOWS), fc.nat(80), fc.nat(10), piece)
      .map(([flow, at, cut, text]) => flow.slice(0, at) + text + flow.slice(at + cut));
    const shuffled = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.oneof(mutated, shuffled), (text) => {
        try {
          parseFlowFile('flows', text);
        } catch (error) {
          if (!(error instanceof OpenflowError)) throw error;
          expect(error.message).not.toContain('\n');
          expect(error.message.length).toBeLessThan(500);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
