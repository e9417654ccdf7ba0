import { Command } from 'commander';
import { versionList } from '../versions.ts';
import { diffFlows, replaceFlows } from './compare-flows.ts';
import { changeFlows, changeFlowsFromFile, dumpAggregate, dumpFlows } from './flows.ts';
import { monitor } from './monitor.ts';
import { packetOut } from './packet-out.ts';
import { addProgramVerbs } from './programs.ts';
import { type OfctlOptions, type OfctlSession, withSwitch } from './session.ts';
import { dumpDesc, dumpPorts, dumpPortsDesc, dumpTables, getFrags, modPort, probe, setFrags, show } from './show.ts';

type Verb = (session: OfctlSession, args: readonly string[]) => Promise<void>;

/** A verb's arguments after the switch, as commander writes them, what it does, and how. */
const VERBS: Readonly<Record<string, readonly [args: string, description: string, run: Verb]>> = {
  show: ['', 'show the switch, its ports and its configuration', (session) => show(session)],
  'dump-desc': ['', 'show what the switch says it is', (session) => dumpDesc(session)],
  'dump-tables': ['', 'show the counters of the flow tables', (session) => dumpTables(session)],
  'dump-flows': [
    '[flow]',
    'show flows, all or those that a match selects',
    (session, [flow]) => dumpFlows(session, flow),
  ],
  'dump-aggregate': ['[flow]', 'show the sums over flows', (session, [flow]) => dumpAggregate(session, flow)],
  'dump-ports': ['[port]', 'show the counters of ports', (session, [port]) => dumpPorts(session, port)],
  'dump-ports-desc': ['[port]', 'describe ports', (session, [port]) => dumpPortsDesc(session, port)],
  'add-flow': ['<flow>', 'add a flow', (session, [flow]) => changeFlows(session, 'add', flow)],
  'add-flows': [
    '<file>',
    'add the flows of a file, - for standard input',
    (session, [file]) => changeFlowsFromFile(session, file),
  ],
  'mod-flows': ['<flow>', 'change the actions of flows', (session, [flow]) => changeFlows(session, 'modify', flow)],
  'del-flows': [
    '[flow]',
    'remove flows, all or those that match',
    (session, [flow]) => changeFlows(session, 'delete', flow ?? ''),
  ],
  'mod-port': [
    '<port> <action>',
    'change a port: up, down, flood, no-flood, …',
    (session, [port, action]) => modPort(session, port, action),
  ],
  'packet-out': ['<packet...>', 'send a packet', packetOut],
  monitor: [
    '[what...]',
    'print what the switch tells of itself: packets up to [miss-len] bytes, those of invalid_ttl, flows of watch:[spec]',
    monitor,
  ],
  'get-frags': ['', 'say how IP fragments are handled', (session) => getFrags(session)],
  'set-frags': [
    '<mode>',
    'choose how IP fragments are handled: normal, drop, reassemble, nx-match',
    (session, [mode]) => setFrags(session, mode),
  ],
  probe: ['', 'check that the switch answers', (session) => probe(session)],
};

export function ofctlCommand(): Command {
  const ofctl = new Command('ofctl')
    .description('Look at and change the flows of a bridge over OpenFlow, with the verbs of ovs-ofctl.')
    .option(
      '-O, --protocols <versions>',
      'OpenFlow versions to speak: OpenFlow10, 13, 14, 15, separated by commas',
      versionList('-O'),
    )
    .option('--strict', 'mod-flows and del-flows: only the flow with just this match and priority')
    .option('--bundle', 'change flows all together or not at all')
    .option('--no-stats', 'dump-flows: leave out counters')
    .option('--names', 'show ports by name')
    .option('--sort [field]', 'dump-flows: by priority or a field, ascending')
    .option('--rsort [field]', 'dump-flows: by priority or a field, descending');
  for (const [name, [args, description, run]] of Object.entries(VERBS)) {
    const verb = ofctl.command(`${name} <switch> ${args}`.trim()).description(description);
    verb.action((bridge: string, ...rest: unknown[]) => {
      const words = rest.flat().filter((word): word is string => typeof word === 'string');
      return withSwitch(bridge, verb.optsWithGlobals<OfctlOptions>(), (session) => run(session, words));
    });
  }
  ofctl
    .command('diff-flows <source1> <source2>')
    .description('print flows that two files or switches have differently; the exit status is 2 then')
    .action((a: string, b: string, _own: unknown, verb: Command) =>
      diffFlows([a, b], verb.optsWithGlobals<OfctlOptions>()),
    );
  ofctl
    .command('replace-flows <switch> <file>')
    .description('make the flows of the switch those of a file, - for standard input')
    .option('--readd', 'add also the flows that are there already, so that their counters begin anew')
    .action((bridge: string, file: string, own: { readd?: boolean }, verb: Command) =>
      withSwitch(bridge, verb.optsWithGlobals<OfctlOptions>(), (session) =>
        replaceFlows(session, file, own.readd === true),
      ),
    );
  addProgramVerbs(ofctl);
  return ofctl;
}
