import { benchBpf } from './bpf/bpf.ts';
import { benchDatapath } from './datapath/datapath.ts';
import { benchOpenflow } from './openflow/openflow.ts';
import { benchOvsdb } from './ovsdb/ovsdb.ts';
import { benchVerifier } from './verifier/verifier.ts';
import { benchVswitchd } from './vswitchd/vswitchd.ts';

/** By name: what it measures, and how. The rest of the command line goes to it. */
const BENCHES: Record<string, { readonly about: string; run(args: readonly string[]): void | Promise<void> }> = {
  verifier: { about: 'the verifier: time and states as programs grow', run: benchVerifier },
  ovsdb: { about: 'the database server: transactions a second, beside ovsdb-server', run: benchOvsdb },
  bpf: { about: 'filter programs: compiled, against gcc and the interpreter', run: benchBpf },
  openflow: { about: 'flow tables under ovs-ofctl, beside Debian’s switch', run: benchOpenflow },
  vswitchd: { about: "the daemon beside Debian's: start, memory, adding ports", run: benchVswitchd },
  datapath: { about: 'forwarding from memory to memory, beside Open vSwitch with DPDK', run: benchDatapath },
};

const [name = '', ...args] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  console.log('npm run bench -- NAME');
  for (const [each, { about }] of Object.entries(BENCHES)) console.log(`  ${each.padEnd(10)}${about}`);
  process.exitCode = name === '' ? 0 : 1;
} else await bench.run(args);
