import { type Command, command } from './command.ts';
import { type CoverageRates, totals } from './coverage.ts';
import { refusal } from './errors.ts';
import { datapathName } from './names.ts';
import type { SwitchView } from './switch-view.ts';

/** coverage/*, upcall/*, revalidator/*, dpif-netdev/*: how often what has happened. */
export function counterCommands(view: SwitchView, rates: CoverageRates): readonly Command[] {
  return [
    command('coverage/show', '', [0, 0], () => rates.show()),
    command('coverage/read-counter', 'COUNTER', [1, 1], ([name]) => {
      const found = totals(view).get(name);
      if (found === undefined) throw refusal('No such counter');
      return String(found);
    }),
    command('upcall/show', '', [0, 0], () => showUpcalls(view)),
    // Translation is done when its packet is: there is never anything to wait for, but work that is due by the clock.
    command('revalidator/wait', '', [0, 0], () => {
      view.dummy?.run();
      return '';
    }),
    command('revalidator/purge', '', [0, 0], () => {
      for (const { bridge } of view.bridges()) bridge.purgeCache();
      return '';
    }),
    command('dpif-netdev/pmd-stats-show', '[-pmd core] [dp]', [0, 3], () => showThreads(view)),
    command(
      'dpif-netdev/pmd-rxq-show',
      '[-pmd core] [-secs secs] [dp]',
      [0, 5],
      () => 'Displaying last 60 seconds pmd usage %',
    ),
  ];
}

function showUpcalls(view: SwitchView): string {
  const flows = new Map<string, number>();
  for (const bridge of view.bridges()) {
    const name = datapathName(bridge);
    flows.set(name, (flows.get(name) ?? 0) + [...bridge.bridge.datapath.flows()].length);
  }
  return [...flows].map(([name, count]) => `${name}:\n  flows         : (current ${count})`).join('\n');
}

/** As far as there is anything of the kind: one cache, probed once for each packet. */
function showThreads(view: SwitchView): string {
  let received = 0;
  let hits = 0;
  let misses = 0;
  let failed = 0;
  for (const { bridge, ports } of view.bridges()) {
    hits += bridge.datapath.counters.hits;
    misses += bridge.datapath.counters.misses;
    failed += bridge.datapath.counters.dropUpcallFull;
    for (const { number } of ports()) received += bridge.datapath.portCounters(number)?.rxPackets ?? 0;
  }
  const passes = hits + misses;
  return [
    'main thread:',
    `  packets received: ${received}`,
    `  packet recirculations: ${Math.max(0, passes - received)}`,
    `  avg. datapath passes per packet: ${(received === 0 ? 0 : passes / received).toFixed(2)}`,
    `  megaflow hits: ${hits}`,
    `  avg. subtable lookups per megaflow hit: ${(hits === 0 ? 0 : 1).toFixed(2)}`,
    `  miss with success upcall: ${misses}`,
    `  miss with failed upcall: ${failed}`,
  ].join('\n');
}
