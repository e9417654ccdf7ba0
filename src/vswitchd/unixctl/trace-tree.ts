import type { AskedRule, Rule, Tracer } from '../../ofproto/index.ts';
import { type Action, formatActions, formatMatch, type TextNames } from '../../openflow/index.ts';

type NodeKind = 'bridge' | 'table' | 'action' | 'detail' | 'warning' | 'error';

interface TraceNode {
  readonly kind: NodeKind;
  readonly text: string;
  readonly below: TraceNode[];
}

/** Longer traces are cut: what follows says nothing new. */
const MAX_NODES = 100_000;

/** What a translation did, written down as ofproto/trace of ovs-vswitchd(8) shows it. */
export class TraceTree implements Tracer {
  readonly #names: TextNames;
  readonly #root: TraceNode;
  readonly #open: TraceNode[];
  readonly #programText: (asked: AskedRule) => string;
  #nodes = 0;

  /** `programText` tells of a filter program that was asked. */
  constructor(bridge: string, programText: (asked: AskedRule) => string, names: TextNames = {}) {
    this.#names = names;
    this.#programText = programText;
    this.#root = { kind: 'bridge', text: `bridge("${bridge}")`, below: [] };
    this.#open = [this.#root];
  }

  table(number: number, rule: Rule | undefined, asked: readonly AskedRule[]): void {
    const title = `${String(number).padStart(2)}. `;
    this.#enter('table', rule === undefined ? `${title}No match.` : title + this.#ruleText(rule));
    for (const question of asked) this.detail(this.#programText(question));
    if (rule === undefined || rule.actions.length === 0) this.#add('action', 'drop');
  }

  #ruleText(rule: Rule): string {
    const match = formatMatch(rule.match, this.#names);
    const cookie = rule.cookie === 0n ? '' : `, cookie 0x${rule.cookie.toString(16)}`;
    return `${match === '' ? '' : `${match}, `}priority ${rule.priority}${cookie}`;
  }

  actionSet(): void {
    this.#enter('table', '--. Executing action set:');
  }

  leave(): void {
    if (this.#open.length > 1) this.#open.pop();
  }

  action(action: Action): void {
    this.#add('action', formatActions([action], this.#names));
  }

  detail(text: string): void {
    this.#add('detail', text);
  }

  warning(text: string): void {
    this.#add('warning', text);
  }

  error(text: string): void {
    this.#add('error', text);
  }

  #enter(kind: NodeKind, text: string): void {
    this.#open.push(this.#add(kind, text));
  }

  #add(kind: NodeKind, text: string): TraceNode {
    const node: TraceNode = { kind, text, below: [] };
    if (this.#nodes++ < MAX_NODES) this.#open[this.#open.length - 1].below.push(node);
    return node;
  }

  /** Lines, the bridge's name first. */
  lines(): readonly string[] {
    const lines = [this.#root.text, '-'.repeat(this.#root.text.length)];
    print(this.#root.below, 0, lines);
    if (this.#nodes > MAX_NODES) lines.push(`(${this.#nodes - MAX_NODES} more lines)`);
    return lines;
  }
}

const MARKS: Readonly<Partial<Record<NodeKind, readonly [string, string]>>> = {
  detail: [' -> ', ''],
  warning: [' >> ', ''],
  error: [' >>>> ', ' <<<<'],
};

/**
 * Tables stand beside the actions that led there. The last thing in a table is not indented, so that a chain of tables,
 * each entered by the last action of the one before, runs straight down. Written without recursion: chains are long.
 */
function print(nodes: readonly TraceNode[], level: number, lines: string[]): void {
  const open: { nodes: readonly TraceNode[]; at: number; level: number }[] = [{ nodes, at: 0, level }];
  for (let list = open[0]; list !== undefined; list = open[open.length - 1]) {
    if (list.at >= list.nodes.length) {
      open.pop();
      continue;
    }
    const node = list.nodes[list.at++];
    const isSmall = node.kind !== 'table' && node.kind !== 'bridge';
    const more = isSmall || list.at < list.nodes.length ? 1 : 0;
    const [before, after] = MARKS[node.kind] ?? ['', ''];
    lines.push(`${' '.repeat(4 * (list.level + more))}${before}${node.text}${after}`);
    open.push({ nodes: node.below, at: 0, level: list.level + 2 * more });
  }
}
