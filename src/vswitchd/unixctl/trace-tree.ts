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
  readonly #follow: (port: number, key: Uint8Array) => TraceTree | undefined;
  #nodes = 0;

  /** `programText` tells of a filter program that was asked; `follow` what happens where a port leads on, as patch ports do. */
  constructor(
    bridge: string,
    programText: (asked: AskedRule) => string,
    follow: (port: number, key: Uint8Array) => TraceTree | undefined = () => undefined,
    names: TextNames = {},
  ) {
    this.#names = names;
    this.#programText = programText;
    this.#follow = follow;
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

  output(port: number, key: Uint8Array): void {
    const further = this.#follow(port, key);
    if (further === undefined || this.#nodes > MAX_NODES) return;
    this.#nodes += further.#nodes;
    this.#open[this.#open.length - 1].below.push(further.#root);
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

  /** Lines, an empty one and the bridge's name first. */
  lines(): readonly string[] {
    const lines: string[] = [];
    print([this.#root], 0, lines);
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
    const indent = ' '.repeat(4 * (list.level + more));
    if (node.kind === 'bridge') lines.push('');
    lines.push(`${indent}${before}${node.text}${after}`);
    if (node.kind === 'bridge') lines.push(indent + '-'.repeat(node.text.length));
    open.push({ nodes: node.below, at: 0, level: list.level + 2 * more });
  }
}
