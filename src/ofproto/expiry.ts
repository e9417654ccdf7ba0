import type { Rule } from './rule.ts';

const NS_PER_SECOND = 1_000_000_000n;

/**
 * Rules with timeouts, by the second in which one may run out. A rule that has been used meanwhile is put back for later, so that
 * a rule is looked at once for each of its timeouts and not once a second.
 */
export class ExpiryQueue {
  readonly #due = new Map<number, Rule[]>();

  add(rule: Rule): void {
    this.#put(rule, 0);
  }

  #put(rule: Rule, earliestSecond: number): void {
    const deadlineNs = rule.deadlineNs;
    if (deadlineNs === undefined) return;
    const second = Math.max(earliestSecond, Number(deadlineNs / NS_PER_SECOND));
    const list = this.#due.get(second);
    if (list === undefined) this.#due.set(second, [rule]);
    else list.push(rule);
  }

  /**
   * The rules whose timeouts have run out; their counters must be up to date. `isLive` says whether a rule is still there. No
   * more than `limit` rules are looked at; `isAll`: these were all.
   */
  takeExpired(
    nowNs: bigint,
    isLive: (rule: Rule) => boolean,
    limit: number,
  ): { readonly expired: readonly Rule[]; readonly isAll: boolean } {
    const nowSecond = Number(nowNs / NS_PER_SECOND);
    const expired: Rule[] = [];
    const later: Rule[] = [];
    let left = limit;
    for (const [second, rules] of this.#due) {
      if (second > nowSecond) continue;
      const some = rules.splice(0, left);
      left -= some.length;
      if (rules.length === 0) this.#due.delete(second);
      for (const rule of some) {
        if (!isLive(rule)) continue;
        (rule.expiry(nowNs) === undefined ? later : expired).push(rule);
      }
      if (left === 0) break;
    }
    // Not before the next second, so that none is looked at twice in this one.
    for (const rule of later) this.#put(rule, nowSecond + 1);
    return { expired, isAll: left > 0 };
  }
}
