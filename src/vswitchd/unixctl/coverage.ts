import type { SwitchView } from './switch-view.ts';

const SAMPLE_MS = 5000;
const SAMPLES_PER_MINUTE = 60_000 / SAMPLE_MS;
const SAMPLES_PER_HOUR = 60 * SAMPLES_PER_MINUTE;
const MS_PER_SECOND = 1000;

/** How often everything has happened that is counted, over all bridges there are; names are Open vSwitch's where it counts the same. */
export function totals(view: SwitchView): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const add = (name: string, count: number): void => {
    counts.set(name, (counts.get(name) ?? 0) + count);
  };
  for (const { bridge, ports } of view.bridges()) {
    const { counters } = bridge.datapath;
    add('datapath_hit', counters.hits);
    add('datapath_cache_eviction', counters.cacheEvictions);
    add('datapath_drop_no_port', counters.dropNoPort);
    add('datapath_drop_port_full', counters.dropPortFull);
    add('datapath_drop_too_deep', counters.dropTooDeep);
    add('datapath_drop_no_buffer', counters.dropNoBuffer);
    add('datapath_drop_upcall_full', counters.dropUpcallFull);
    add('datapath_uncached', counters.uncached);
    add('xlate_actions', counters.misses);
    const { too_deep, too_many_resubmits, stack_too_large, too_many_labels, unknown_pass } = bridge.translationErrors;
    add('drop_action_recursion_too_deep', too_deep);
    add('drop_action_too_many_resubmit', too_many_resubmits);
    add('drop_action_stack_too_deep', stack_too_large);
    add('drop_action_too_many_mpls_labels', too_many_labels);
    add('drop_action_no_recirculation_context', unknown_pass);
    const { learned, expired, evicted, moved } = bridge.macs.counters;
    add('mac_learning_learned', learned);
    add('mac_learning_expired', expired);
    add('mac_learning_evicted', evicted);
    add('mac_learning_moved', moved);
    for (const { runs, matches, failures } of bridge.programs.list()) {
      add('filter_program_run', runs);
      add('filter_program_match', matches);
      add('filter_program_failure', failures);
    }
    for (const { number } of ports()) {
      const port = bridge.datapath.portCounters(number);
      add('netdev_received', port?.rxPackets ?? 0);
      add('netdev_sent', port?.txPackets ?? 0);
    }
  }
  return counts;
}

/** Remembers the totals of an hour, to say how fast they grow. */
export class CoverageRates {
  readonly #view: SwitchView;
  readonly #timer: NodeJS.Timeout;
  /** Oldest first. */
  readonly #samples: ReadonlyMap<string, number>[] = [];

  constructor(view: SwitchView) {
    this.#view = view;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  #sample(): void {
    this.#samples.push(totals(this.#view));
    if (this.#samples.length > SAMPLES_PER_HOUR) this.#samples.shift();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  show(): string {
    const now = totals(this.#view);
    const hit = [...now].filter(([, total]) => total > 0);
    const lines = hit.map(([name, total]) => {
      const [seconds, minute, hour] = [1, SAMPLES_PER_MINUTE, SAMPLES_PER_HOUR].map((count) =>
        this.#rate(name, total, count),
      );
      const rates = [
        `${seconds.toFixed(1).padStart(5)}/sec`,
        `${minute.toFixed(3).padStart(9)}/sec`,
        `${hour.toFixed(4).padStart(13)}/sec`,
      ];
      return `${name.padEnd(24)} ${rates.join(' ')}   total: ${total}`;
    });
    return [
      `Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash=${hashOf(hit.map(([name]) => name))}:`,
      ...lines,
      `${now.size - hit.length} events never hit`,
    ].join('\n');
  }

  /** Events a second over the last so many samples, or as many as there are; all within the whole time counts. */
  #rate(name: string, total: number, count: number): number {
    const before = this.#samples[this.#samples.length - count];
    // A bridge that went away takes its counts with it.
    return Math.max(0, total - (before?.get(name) ?? 0)) / ((count * SAMPLE_MS) / MS_PER_SECOND);
  }
}

/** The same for the same set of events (FNV-1a, 32 bits). */
function hashOf(names: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const character of names.join('\n')) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
