import { type Command, command } from './command.ts';
import type { SwitchView } from './switch-view.ts';

/** Commands about the daemon itself. */
export function daemonCommands(view: SwitchView): readonly Command[] {
  return [
    command('version', '', [0, 0], () => view.version),
    command('exit', '[--cleanup]', [0, 1], async ([option]) => {
      await view.exit(option === '--cleanup');
      return '';
    }),
    command('memory/show', '', [0, 0], () => memory(view)),
    command('ofproto/list', '', [0, 0], () =>
      view
        .bridges()
        .map(({ bridge }) => bridge.name)
        .join('\n'),
    ),
  ];
}

/** What there is of everything that takes memory, in the order of the names. */
function memory(view: SwitchView): string {
  const bridges = view.bridges();
  const sum = (count: (bridge: (typeof bridges)[number]) => number): number =>
    bridges.reduce((total, bridge) => total + count(bridge), 0);
  const usage: Record<string, number> = {
    ports: sum((bridge) => bridge.ports().length),
    rules: sum(({ bridge }) => bridge.tableStats().reduce((total, { activeCount }) => total + activeCount, 0)),
    'filter-programs': sum(({ bridge }) => bridge.programs.list().length),
    'cached-flows': sum(({ bridge }) => [...bridge.datapath.flows()].length),
    ...view.memory(),
  };
  return Object.entries(usage)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name}:${count}`)
    .join(' ');
}
