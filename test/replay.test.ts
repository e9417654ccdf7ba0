import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ethernet, ipv4, udp } from '../src/packet/build.ts';
import { readCaptureFile } from '../src/packet/capture-file.ts';
import { type CapturedPacket, encodePcap } from '../src/packet/index.ts';
import { oko, REPOSITORY } from './support/oko.ts';

const MIX = 'examples/captures/mix.pcap';
const FLOWS = 'examples/flows/rate-limit.txt';
const PROGRAM = 'examples/rate-limiter.o';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'oko-replay-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const path = (name: string): string => join(dir, name);

/** The rate limiter once more, from its description alone and on nothing but the bytes of the capture. */
function expectedToPass(packets: Iterable<CapturedPacket>): {
  passed: CapturedPacket[];
  limited: number;
  arps: number;
} {
  const budgets = new Map<string, { startNs: bigint; packets: number }>();
  const passed: CapturedPacket[] = [];
  let limited = 0;
  let arps = 0;
  for (const packet of packets) {
    const { bytes, timestampNs } = packet;
    const type = bytes.length >= 14 ? (bytes[12] << 8) | bytes[13] : 0;
    if (type === 0x0806) {
      arps++;
      passed.push(packet);
      continue;
    }
    if (type !== 0x0800) {
      passed.push(packet);
      continue;
    }
    const source = `${bytes.slice(26, 30).join('.')}/${bytes[23]}`;
    const budget = budgets.get(source);
    if (budget === undefined || timestampNs - budget.startNs >= 1_000_000_000n) {
      budgets.set(source, { startNs: timestampNs, packets: 1 });
      passed.push(packet);
    } else if (budget.packets < 100) {
      budget.packets++;
      passed.push(packet);
    } else {
      limited++;
    }
  }
  return { passed, limited, arps };
}

describe('oko replay on the shipped mix of ordinary and hostile traffic', () => {
  for (const engine of ['wasm', 'interpreter']) {
    it(`lets through, packet for packet, what an independent computation lets through (${engine})`, () => {
      const out = path(`out-${engine}.pcap`);
      const run = oko([
        'replay',
        '--flows',
        FLOWS,
        '--prog',
        `1=${PROGRAM}`,
        '--in',
        `1=${MIX}`,
        '--out',
        `2=${out}`,
        '--engine',
        engine,
        '--json',
      ]);
      expect(run.stderr).toBe('');
      expect(run.status).toBe(0);
      const packets = [...readCaptureFile(join(REPOSITORY, MIX))];
      const { passed, limited, arps } = expectedToPass(packets);
      expect(limited).toBeGreaterThan(100);
      expect(passed.length - arps).toBeGreaterThan(100);
      const written = [...readCaptureFile(out)];
      expect(written.map(({ timestampNs, bytes }) => [timestampNs, bytes])).toEqual(
        passed.map(({ timestampNs, bytes }) => [timestampNs, bytes]),
      );

      const report = JSON.parse(run.stdout);
      const flows = Object.fromEntries(
        report.flows.map((flow: { match: string; packets: number }) => [flow.match, flow.packets]),
      );
      expect(flows['priority=1,filter_prog=1,in_port=1']).toBe(passed.length - arps);
      expect(flows['priority=1,in_port=1']).toBe(limited);
      expect(report.programs[0]).toMatchObject({
        id: 1,
        runs: packets.length - arps,
        matches: passed.length - arps,
        failures: 0,
      });
    });
  }

  it('says the same every time', () => {
    const args = ['replay', '--flows', FLOWS, '--prog', `1=${PROGRAM}`, '--in', `1=${MIX}`, '--map', '1/limits'];
    const first = oko(args);
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(
      /^ cookie=0x0, duration=\d+(\.\d+)?s, table=0, n_packets=\d+, n_bytes=\d+, (idle_age=\d+, )?priority=10,arp actions=NORMAL$/m,
    );
    expect(oko(args).stdout).toBe(first.stdout);
  });
});

const TCPDUMP = '/usr/bin/tcpdump';

describe('oko replay on a capture that tcpdump took of a LAN', () => {
  const LAN = 'examples/captures/lan.pcap';
  /** In tcpdump's language each `vlan` shifts what follows by a tag: untagged, tagged, tagged twice. */
  const anyTags = (filter: string): string => `${filter} or (vlan and ${filter}) or (vlan and ${filter})`;
  const same: readonly (readonly [string, string])[] = [
    ['arp', 'arp'],
    ['icmp', anyTags('icmp')],
    ['tcp', anyTags('(ip and tcp)')],
    ['udp', anyTags('(ip and udp)')],
    ['ipv6', anyTags('ip6')],
    ['dl_vlan=7', 'vlan 7'],
    ['ip,nw_src=10.9.0.1', 'ip and src host 10.9.0.1'],
    ['ip,nw_dst=10.9.0.0/255.255.255.252', 'ip and dst net 10.9.0.0/30'],
    ['tcp,tp_dst=7000', anyTags('(ip and tcp dst port 7000)')],
  ];

  it.skipIf(!existsSync(TCPDUMP))("matches what tcpdump's filters match (needs tcpdump)", () => {
    for (const [match, filter] of same) {
      writeFileSync(path('lan-flows.txt'), `${match},actions=output:2\n`);
      const out = path('lan-out.pcap');
      expect(oko(['replay', '--flows', path('lan-flows.txt'), '--in', `1=${LAN}`, '--out', `2=${out}`]).status).toBe(0);
      const read = (file: string, ...rest: string[]): string => {
        const run = spawnSync(TCPDUMP, ['-r', file, '-nn', '-tt', '-xx', ...rest], {
          cwd: REPOSITORY,
          encoding: 'utf8',
        });
        expect(run.status).toBe(0);
        return run.stdout;
      };
      expect(read(out), match).toBe(read(LAN, filter));
      expect(read(out), match).not.toBe('');
    }
  });
});

describe('what is wrong is said in one line with a code', () => {
  const packet = ethernet(
    { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' },
    ipv4({ src: '10.0.0.1', dst: '10.0.0.2' }, udp({ src: 1, dst: 2 })),
  );
  const capture = encodePcap([{ timestampNs: 1_000n, originalLength: packet.length, bytes: packet }]);

  interface Case {
    readonly flows?: string;
    readonly capture?: Uint8Array;
    readonly program?: Uint8Array;
    readonly args?: readonly string[];
    readonly code: RegExp;
  }
  const cases: Record<string, Case> = {
    'an unknown field': { flows: 'nw_scr=10.0.0.1,actions=drop', code: /OPENFLOW_/ },
    'a missing prerequisite': { flows: 'tp_dst=80,actions=drop', code: /OPENFLOW_/ },
    'a bad number': { flows: 'priority=99999,actions=drop', code: /OPENFLOW_/ },
    'no actions': { flows: 'priority=1', code: /OPENFLOW_/ },
    'an unknown action': { flows: 'actions=explode', code: /OPENFLOW_/ },
    'an action on a group that is not there': { flows: 'actions=group:1', code: /OFPROTO_NO_SUCH_GROUP/ },
    'an empty capture': { capture: new Uint8Array(0), code: /PACKET_PCAP_EMPTY/ },
    'a cut capture': { capture: capture.subarray(0, capture.length - 1), code: /PACKET_PCAP_/ },
    'something that is no capture': { capture: new Uint8Array(100).fill(7), code: /PACKET_PCAP_BAD_MAGIC/ },
    'an object that is not ELF': { program: new Uint8Array(100), code: /BPF_/ },
    'an object of another machine': { program: readFileSync('/proc/self/exe').subarray(0, 4096), code: /BPF_/ },
    'an empty object': { program: new Uint8Array(0), code: /BPF_/ },
    'program number 0': { args: ['--prog', `0=${PROGRAM}`], code: /OKO_BAD_PROGRAM_ID/ },
    'program number 65536': { args: ['--prog', `65536=${PROGRAM}`], code: /OKO_BAD_PROGRAM_ID/ },
    'a map that is not there': { args: ['--prog', `1=${PROGRAM}`, '--map', '1/none'], code: /OKO_NO_SUCH_MAP/ },
    'a program that is not there': { args: ['--map', '7/0'], code: /OKO_NO_SUCH_PROGRAM/ },
    'a file that is not there': { args: ['--in', '2=/nowhere.pcap'], code: /PACKET_FILE_OPEN/ },
    'a port number twice': { args: ['--in', `1=${MIX}`], code: /CLI_BAD_ARGUMENT/ },
    'an argument without a number': { args: ['--prog', PROGRAM], code: /CLI_BAD_ARGUMENT/ },
    'an engine that is not there': { args: ['--engine', 'warp'], code: /CLI_BAD_ARGUMENT/ },
  };

  it.each(Object.keys(cases))('%s', (name) => {
    const { flows = 'actions=output:2', capture: bytes = capture, program, args = [], code } = cases[name];
    writeFileSync(path('flows.txt'), `# a comment\n${flows}\n`);
    writeFileSync(path('in.pcap'), bytes);
    if (program !== undefined) writeFileSync(path('program.o'), program);
    const programArgs = program === undefined ? [] : ['--prog', `1=${path('program.o')}`];
    const before = readdirSync(dir).length;
    const run = oko([
      'replay',
      '--flows',
      path('flows.txt'),
      '--in',
      `1=${path('in.pcap')}`,
      '--out',
      `2=${path('never.pcap')}`,
      ...programArgs,
      ...args,
    ]);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(/^oko: [^\n]+ \([A-Z0-9_]+\)\n$/);
    expect(run.stderr).toMatch(code);
    expect(run.status).toBe(1);
    // Neither the output nor a temporary file of it is left behind.
    expect(readdirSync(dir).length).toBe(before);
  });
});
