import type { Rule } from './rule.ts';

const NS_PER_SECOND = 1_000_000_000n;

/**
 * Rules with timeouts, by the second in which one may run out. A rule that has been used meanwhile is put back for later, so that
 * a rule is looked at once for each of its timeouts and not once a second.
 */
export class ExpiryQueue {
  readonly #due = new Map<number, Rule[]>();

  add(rule: Rule): void {
    const deadlineNs = rule.deadlineNs;
    if (deadlineNs === undefined) return;
    const second = Number(deadlineNs / NS_PER_SECOND);
    const list = this.#due.get(second);
    if (list === undefined) this.#due.set(second, [rule]);
    else list.push(rule);
  }

  /** The rules whose timeouts have run out; their counters must be up to date. `isLive` says whether a rule is still there. */
  takeExpired(nowNs: bigint, isLive: (rule: Rule) => boolean): Rule[] {
    const nowSecond = Number(nowNs / NS_PER_SECOND);
    const expired: Rule[] = [];
    const later: Rule[] = [];
    for (const [second, rules] of this.#due) {
      if (second > nowSecond) continue;
      this.#due.delete(second);
      for (const rule of rules) {
        if (!isLive(rule)) continue;
        (rule.expiry(nowNs) === undefined ? later : expired).push(rule);
      }
    }
    for (const rule of later) this.add(rule);
    return expired;
  }
}
