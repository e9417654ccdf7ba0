import type { FlowChange } from '../flow-changes.ts';
import type { Rule } from '../rule.ts';

/** Which flows refer to which filter program. */
export class ProgramUse {
  readonly #rules = new Map<number, Set<Rule>>();

  /** Takes notice of changes to flows that have taken effect. */
  flowsChanged(changes: readonly FlowChange[]): void {
    for (const { kind, rule, replaced } of changes) {
      if (kind === 'removed') this.#remove(rule);
      else {
        if (replaced !== undefined) this.#remove(replaced);
        this.#add(rule);
      }
    }
  }

  count(program: number): number {
    return this.#rules.get(program)?.size ?? 0;
  }

  rules(program: number): Iterable<Rule> {
    return this.#rules.get(program) ?? [];
  }

  #add(rule: Rule): void {
    if (rule.program === undefined) return;
    const rules = this.#rules.get(rule.program);
    if (rules === undefined) this.#rules.set(rule.program, new Set([rule]));
    else rules.add(rule);
  }

  #remove(rule: Rule): void {
    if (rule.program === undefined) return;
    const rules = this.#rules.get(rule.program);
    if (rules?.delete(rule) && rules.size === 0) this.#rules.delete(rule.program);
  }
}
