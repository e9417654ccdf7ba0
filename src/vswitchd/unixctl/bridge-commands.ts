import type { Rule } from '../../ofproto/index.ts';
import { formatActions, formatRuleMatch } from '../../openflow/index.ts';
import { type Command, command } from './command.ts';
import { refusal } from './errors.ts';
import { bridgeNamed, bridgesNamed, portNamed } from './names.ts';
import type { SwitchView } from './switch-view.ts';

const NS_PER_SECOND = 1_000_000_000n;

/** bridge/*, and what bridges have by name that this switch has none of: bonds, spanning trees, snooping and the like. */
export function bridgeCommands(view: SwitchView): readonly Command[] {
  const nothing = (): string => '';
  /** A command about things that there are none of; one of them by name is unknown. */
  const none = (name: string, usage: string, unknown: string): Command =>
    command(name, usage, [0, 1], ([wanted]) => {
      if (wanted !== undefined) throw refusal(unknown);
      return '';
    });
  return [
    command('bridge/dump-flows', '[--offload-stats] bridge', [1, 2], (args) => {
      const { bridge } = bridgeNamed(view, args[args.length - 1], 'Unknown bridge');
      const offload = args.length === 2 && args[0] === '--offload-stats';
      return dumpFlows(bridge.allRules(), view.clock.nowNs(), offload);
    }),
    command('bridge/reconnect', '[bridge]', [0, 1], ([name]) => {
      for (const bridge of bridgesNamed(view, name, 'Unknown bridge')) bridge.reconnect();
      return '';
    }),
    command('bond/list', '', [0, 0], () => 'bond\ttype\trecircID\tmembers'),
    none('bond/show', '[port]', 'no such bond'),
    none('lacp/show', '[port]', 'no such lacp object'),
    none('lacp/show-stats', '[port]', 'no such lacp object'),
    none('stp/show', '[bridge]', 'no such stp object'),
    none('rstp/show', '[bridge]', 'No such RSTP object'),
    none('cfm/show', '[interface]', 'no such CFM object'),
    none('bfd/show', '[interface]', 'no such bfd object'),
    command('mdb/show', 'bridge', [1, 1], ([name]) => {
      bridgeNamed(view, name);
      throw refusal('multicast snooping is disabled');
    }),
    command('mdb/flush', '[bridge]', [0, 1], ([name]) => {
      if (name === undefined) return 'table successfully flushed';
      bridgeNamed(view, name);
      throw refusal('multicast snooping is disabled');
    }),
    command('qos/show', 'interface', [1, 1], ([name]) => {
      if (portNamed(view, name) === undefined) throw refusal('no such interface');
      return `QoS not configured on ${name}`;
    }),
    command('qos/show-types', 'interface', [1, 1], ([name]) => {
      if (portNamed(view, name) === undefined) throw refusal('no such interface');
      return `No QoS types supported for interface: ${name}`;
    }),
    none('autoattach/status', '[bridge]', 'no such bridge'),
    command('ofproto/list-tunnels', '', [0, 0], nothing),
    command('tnl/ports/show', '-v', [0, 1], () => 'Listening ports:'),
  ];
}

/** Every flow, those of the switch's own among them. */
function dumpFlows(rules: readonly Rule[], nowNs: bigint, withOffload: boolean): string {
  return rules
    .map((rule) => {
      const table = rule.table === 0 ? '' : `table_id=${rule.table}, `;
      const duration = (nowNs - rule.createdNs) / NS_PER_SECOND;
      const offload = withOffload ? 'n_offload_packets=0, n_offload_bytes=0, ' : '';
      const counters = `duration=${duration}s, n_packets=${rule.packets}, n_bytes=${rule.bytes}, ${offload}`;
      const match = formatRuleMatch(rule.priority, rule.match);
      return `${table}${counters}${match},actions=${formatActions(rule.actions)}`;
    })
    .join('\n');
}
