import { type Field, field, type Match, MatchBuilder, PREREQUISITE_TEXT, prerequisiteHolds } from '../packet/index.ts';
import type { Action, ActionOf } from './action.ts';
import { OpenflowError, type OpenflowErrorCode } from './errors.ts';
import { ALL_TABLES } from './flow.ts';
import { OFPP } from './port.ts';
import type { Subfield } from './subfield.ts';
import { formatPort } from './text/names.ts';
import type { ErrorName } from './wire/error-codes.ts';
import { ProtocolError } from './wire/protocol-error.ts';

/** Why actions cannot stand in a flow: the OpenFlow error, and a sentence. */
export interface Inconsistency {
  readonly name: ErrorName;
  readonly message: string;
}

/**
 * Finds what in a flow's actions cannot work on any packet of its match: fields that its protocol does not have, outputs
 * to no port, jumps back. Actions that add or remove headers count for those after them. With `strict`, as OpenFlow 1.1
 * and later demand, the old actions that change a header need that header too; 1.0 lets them do nothing.
 */
export function findInconsistency(
  actions: readonly Action[],
  match: Match,
  table = ALL_TABLES,
  strict = false,
): Inconsistency | undefined {
  const check = new Check(match, table, strict);
  for (const action of actions) {
    const found = check.action(action);
    if (found) return found;
  }
  return undefined;
}

/** The same as an error of a text; `OPENFLOW_INCONSISTENT` unless a more telling code fits. */
export function checkActions(actions: readonly Action[], match: Match, table = ALL_TABLES): void {
  const found = findInconsistency(actions, match, table);
  if (!found) return;
  const code: OpenflowErrorCode =
    found.name === 'OFPBAC_BAD_OUT_PORT' ? 'OPENFLOW_BAD_ACTION' : 'OPENFLOW_INCONSISTENT';
  throw new OpenflowError(code, found.message);
}

/** The same as an error to a peer. */
export function requireConsistent(actions: readonly Action[], match: Match, table: number, strict: boolean): void {
  const found = findInconsistency(actions, match, table, strict);
  if (found) throw new ProtocolError(found.name, found.message);
}

const FTP = 21;
const TFTP = 69;

/** Headers that an old action changes, by a field that only packets with them have. */
const LEGACY_NEEDS: Readonly<Record<string, string>> = {
  mod_nw_src: 'ip_src',
  mod_nw_dst: 'ip_src',
  mod_nw_tos: 'nw_ttl',
  mod_nw_ecn: 'nw_ttl',
  mod_nw_ttl: 'nw_ttl',
  dec_ttl: 'nw_ttl',
  set_mpls_label: 'mpls_label',
  set_mpls_tc: 'mpls_label',
  set_mpls_ttl: 'mpls_label',
  dec_mpls_ttl: 'mpls_label',
  pop_mpls: 'mpls_label',
};

class Check {
  #match: Match;
  /** The match with what the actions have changed; absent while they have changed nothing. */
  #changed: MatchBuilder | undefined;
  readonly #table: number;
  readonly #strict: boolean;

  constructor(match: Match, table: number, strict: boolean) {
    this.#match = match;
    this.#table = table;
    this.#strict = strict;
  }

  action(action: Action): Inconsistency | undefined {
    if (this.#strict && Object.hasOwn(LEGACY_NEEDS, action.type)) {
      const missing = this.#needs(field(LEGACY_NEEDS[action.type]), action.type);
      if (missing) return missing;
    }
    switch (action.type) {
      case 'output':
      case 'output_trunc':
        return this.#outputPort(action.port);
      case 'enqueue':
        if (action.port >= OFPP.max && action.port !== OFPP.inPort && action.port !== OFPP.local)
          return { name: 'OFPBAC_BAD_OUT_PORT', message: 'enqueue: takes a port of the switch, IN_PORT or LOCAL' };
        return undefined;
      case 'set_field':
        return this.#setField(action);
      case 'move':
        return this.#needsPart(action.source, 'move') ?? this.#needsPart(action.destination, 'move');
      case 'push':
      case 'pop':
        return this.#needsPart(action.subfield, action.type);
      case 'output_reg':
        return this.#needsPart(action.source, 'output');
      case 'multipath':
        return this.#needsPart(action.destination, 'multipath');
      case 'bundle':
        return action.destination ? this.#needsPart(action.destination, 'bundle_load') : undefined;
      case 'mod_vlan_vid':
      case 'mod_vlan_pcp':
      case 'push_vlan':
        this.#known.setNumber(field('vlan_vid'), 0x1000, 0x1000);
        return undefined;
      case 'strip_vlan':
        return this.#stripVlan();
      case 'mod_tp_src':
      case 'mod_tp_dst':
        return this.#strict ? this.#needsTransport(action.type) : undefined;
      case 'push_mpls':
      case 'pop_mpls':
        this.#known.clear(field('nw_proto'));
        this.#known.setNumber(field('eth_type'), action.value);
        return undefined;
      case 'encap':
      case 'decap':
        this.#newHeaders(action.packetType);
        return undefined;
      case 'dec_nsh_ttl':
        return this.#needs(field('nsh_ttl'), 'dec_nsh_ttl');
      case 'fin_timeout':
        return this.#strict ? this.#needs(field('tcp_src'), 'fin_timeout') : undefined;
      case 'ct':
        return this.#ct(action);
      case 'clone':
        return this.#apart(action.actions);
      case 'resubmit':
        return action.ct ? this.#needs(field('ct_nw_proto'), 'resubmit') : undefined;
      case 'learn':
        return this.#learn(action);
      case 'goto_table':
        if (this.#table === ALL_TABLES || action.table > this.#table) return undefined;
        return {
          name: 'OFPBIC_BAD_TABLE_ID',
          message: `goto_table: table ${action.table} is not after table ${this.#table}`,
        };
      default:
        return undefined;
    }
  }

  get #known(): MatchBuilder {
    this.#changed ??= this.#match.toBuilder();
    return this.#changed;
  }

  #holds(target: Field): boolean {
    return prerequisiteHolds(target.prerequisite, this.#changed ?? this.#match);
  }

  #needs(target: Field, what: string): Inconsistency | undefined {
    if (this.#holds(target)) return undefined;
    const needed = PREREQUISITE_TEXT[target.prerequisite];
    return { name: 'OFPBAC_MATCH_INCONSISTENT', message: `${what}: ${target.name} needs ${needed} in the match` };
  }

  #needsPart(part: Subfield, what: string): Inconsistency | undefined {
    return this.#needs(part.field, what);
  }

  #outputPort(port: number): Inconsistency | undefined {
    if (port < OFPP.max || (port >= OFPP.inPort && port !== OFPP.none)) return undefined;
    return { name: 'OFPBAC_BAD_OUT_PORT', message: `output: ${formatPort(port)} is no port to output to` };
  }

  #setField(action: ActionOf<'set_field'>): Inconsistency | undefined {
    const what = action.load ? 'load' : 'set_field';
    // A VLAN id can be set only where there is a tag, although it can be matched without.
    const tagged = action.field.name === 'vlan_vid' ? this.#needs(field('vlan_pcp'), what) : undefined;
    const missing = tagged ?? this.#needs(action.field, what);
    if (missing || action.field.name !== 'vlan_tci' || (action.mask[0] & 0x10) === 0) return missing;
    this.#known.clear(field('vlan_tci'));
    if (action.value[0] & 0x10) this.#known.setNumber(field('vlan_vid'), 0x1000, 0x1000);
    return undefined;
  }

  #stripVlan(): Inconsistency | undefined {
    const missing = this.#strict && !this.#holds(field('vlan_pcp'));
    this.#known.clear(field('vlan_tci'));
    if (!missing) return undefined;
    return { name: 'OFPBAC_MATCH_INCONSISTENT', message: 'pop_vlan: needs a VLAN tag in the match' };
  }

  #needsTransport(what: string): Inconsistency | undefined {
    if (['tcp_src', 'udp_src', 'sctp_src'].some((name) => this.#holds(field(name)))) return undefined;
    return this.#needs(field('tcp_src'), what);
  }

  /** What the packet is afterwards is known by its new type only. */
  #newHeaders(packetType: number): void {
    for (const name of ['eth_type', 'nw_proto', 'vlan_tci', 'packet_type']) this.#known.clear(field(name));
    if (packetType >>> 16 !== 1) return;
    this.#known.setNumber(field('packet_type'), packetType);
    this.#known.setNumber(field('eth_type'), packetType & 0xffff);
  }

  #ct(ct: ActionOf<'ct'>): Inconsistency | undefined {
    const wrong = (message: string): Inconsistency => ({
      name: 'OFPBAC_MATCH_INCONSISTENT',
      message: `ct: ${message}`,
    });
    if (!this.#holds(field('nw_ttl'))) return wrong('needs "ip" or "ipv6" in the match');
    if (ct.alg === FTP && !this.#holds(field('tcp_src'))) return wrong('alg=ftp needs "tcp" or "tcp6" in the match');
    if (ct.alg === TFTP && !this.#holds(field('udp_src'))) return wrong('alg=tftp needs "udp" or "udp6" in the match');
    if (!ct.commit && ct.actions.some((action) => action.type !== 'nat' || action.direction !== undefined))
      return { name: 'OFPBAC_BAD_ARGUMENT', message: 'ct: nat with an address, and exec, need commit' };
    for (const action of ct.actions) {
      const found = this.action(action);
      if (found) return found;
      if (action.type !== 'nat' || !action.addresses) continue;
      const ipv6 = action.addresses[0].length === 16;
      if (this.#holds(field(ipv6 ? 'ip_src' : 'ipv6_src')))
        return wrong(`nat has ${ipv6 ? 'IPv6' : 'IPv4'} addresses, but the match is for the other kind`);
    }
    return undefined;
  }

  /** Actions that leave the packet as it was for those after them. */
  #apart(actions: readonly Action[]): Inconsistency | undefined {
    this.#match = this.#changed?.build() ?? this.#match;
    for (const action of actions) {
      const found = this.action(action);
      if (found) return found;
    }
    this.#changed = undefined;
    return undefined;
  }

  /** A learn reads the packet, and the match of the flow that it makes must be as sound as any. */
  #learn({ specs }: ActionOf<'learn'>): Inconsistency | undefined {
    const learnt = new MatchBuilder();
    for (const spec of specs) {
      const source = spec.source instanceof Uint8Array ? undefined : spec.source;
      const missing = source && this.#needsPart(source, 'learn');
      if (missing) return missing;
      if (spec.kind === 'output') continue;
      const target = spec.destination.field;
      if (!learnt.holds(target)) {
        const needed = PREREQUISITE_TEXT[target.prerequisite];
        return {
          name: 'OFPBAC_MATCH_INCONSISTENT',
          message: `learn: ${target.name} needs ${needed} before it in the learn`,
        };
      }
      if (spec.kind === 'match' && spec.source instanceof Uint8Array && spec.destination.bits === target.width)
        learnt.set(target, spec.source);
    }
    return undefined;
  }
}
