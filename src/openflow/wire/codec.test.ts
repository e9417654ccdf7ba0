import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FLOW_TEXTS, FLOW_TEXTS_13 } from '../../../test/support/flow-texts.ts';
import {
  allOnes,
  FIELDS,
  type Field,
  field,
  Match,
  MatchBuilder,
  type OpenflowVersion,
  prerequisiteHolds,
} from '../../packet/index.ts';
import {
  ANY_GROUP,
  type AsyncMask,
  BUNDLE_CONTROL_TYPES,
  type Dialect,
  decodeMessage,
  ERROR_CODES,
  type ErrorName,
  encodeMessage,
  errorName,
  errorNumbers,
  errorReply,
  type FlowMod,
  type FlowStats,
  fitsOpenflow10,
  type Message,
  MessageStream,
  nameOfError,
  OFPP,
  type Port,
  ProtocolError,
  parseFlow,
  ROLE_STATUS_REASONS,
  ROLES,
  readHeader,
  type TableFeatures,
} from '../index.ts';

const VERSIONS: readonly OpenflowVersion[] = [1, 4, 5, 6];
const LONG = process.env.OKO_LONG ? 20 : 1;

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bytes = (maxLength = 40): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const exactly = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
/** Latin-1 texts without zeros. */
const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 1, max: 255 }), { maxLength }).map((codes) => String.fromCharCode(...codes));
const port = fc.oneof(fc.nat(0xfeff), fc.constantFrom(OFPP.local, OFPP.none, OFPP.inPort, OFPP.controller));

const valueFor = (f: Field): fc.Arbitrary<Uint8Array> => {
  const ones = allOnes(f);
  return exactly(f.bytes).map((value) => value.map((byte, i) => byte & ones[i]));
};

/** A match whose fields all have what they need. */
const anyMatch = (origin?: 'metadata'): fc.Arbitrary<Match> => {
  const candidates = FIELDS.filter(
    (f) =>
      f.wire.length > 0 && f.special !== 'tos' && f.form !== 'port' && !f.values && (!origin || f.origin === origin),
  );
  const protocols = fc.constantFrom(
    '',
    'ip',
    'arp',
    'tcp',
    'udp6',
    'icmp',
    'icmp6,icmp_type=135,icmp_code=0',
    'mpls',
    'dl_vlan=5',
  );
  const parts = fc.array(
    fc
      .constantFrom(...candidates)
      .chain((f) => fc.record({ f: fc.constant(f), value: valueFor(f), mask: valueFor(f) })),
    { maxLength: 6 },
  );
  const built = fc.tuple(protocols, parts).map(([protocol, fields]) => {
    const start = origin ? Match.ALL : parseFlow(`${protocol},actions=drop`).match;
    const builder = start.toBuilder();
    const used: Field[] = [];
    for (const { f, value, mask } of fields) {
      if (!builder.holds(f) || f.name === 'eth_type' || f.name === 'nw_proto' || f.name === 'ip_frag') continue;
      if (f.name === 'packet_type' || f.place.offset === field('vlan_tci').place.offset) continue;
      builder.set(f, value, f.maskable && mask.some((byte) => byte !== 0) ? mask : undefined);
      used.push(f);
    }
    return { match: builder.build(), used };
  });
  // A later field may have undone what an earlier one needs.
  return built
    .filter(({ match, used }) => used.every((f) => prerequisiteHolds(f.prerequisite, match)))
    .map(({ match }) => match);
};

const anyPort = (version: OpenflowVersion): fc.Arbitrary<Port> =>
  fc.record({
    number: fc.nat(0xfeff),
    hardwareAddress: exactly(6),
    name: text(15),
    config: fc.nat(0x7f).map((bits) => (version === 1 ? bits : bits & 0x65)),
    state: fc.nat(7).map((bits) => (version === 1 ? bits & 1 : bits)),
    current: featureBits(version),
    advertised: featureBits(version),
    supported: featureBits(version),
    peer: featureBits(version),
    currentSpeed: version === 1 ? fc.constant(0) : u32,
    maxSpeed: version === 1 ? fc.constant(0) : u32,
  });
// OpenFlow 1.0 has no modes between 10 Gbit/s and the media.
const featureBits = (version: OpenflowVersion): fc.Arbitrary<number> =>
  fc.nat(0xffff).map((bits) => (version === 1 ? bits & 0xf87f : bits));

/** Actions of flows: those of the texts, which use every action. */
const flows = ({ version, nxm }: Dialect): FlowMod[] =>
  [...FLOW_TEXTS, ...(version === 1 ? [] : FLOW_TEXTS_13)]
    .map((flow) => parseFlow(flow))
    // OpenFlow 1.0's own match cannot say all of them.
    .filter(({ match }) => version > 1 || nxm || fitsOpenflow10(match));

/** Reasons for asynchronous messages, of those of a kind. */
const mask = (known: number): fc.Arbitrary<AsyncMask> =>
  fc.record({ primary: u32, secondary: u32 }).map(({ primary, secondary }) => ({
    primary: primary & known,
    secondary: secondary & known,
  }));
const counters = [
  'rxPackets',
  'txPackets',
  'rxBytes',
  'txBytes',
  'rxDropped',
  'txDropped',
  'rxErrors',
  'txErrors',
  'rxFrameErrors',
  'rxOverErrors',
  'rxCrcErrors',
  'collisions',
] as const;

/** Every message that does not depend on actions, in a version. */
function messages(version: OpenflowVersion, nxm: boolean): Record<string, fc.Arbitrary<Message>> {
  const duration = version === 1 ? {} : { durationSec: u32, durationNsec: u32 };
  const portStats = fc.record({
    port: fc.nat(0xfeff),
    ...(Object.fromEntries(counters.map((counter) => [counter, u64])) as Record<(typeof counters)[number], typeof u64>),
    ...duration,
  });
  const selection = {
    table: u8,
    outPort: port,
    outGroup: version === 1 ? fc.constant(ANY_GROUP) : u32,
    cookie: version === 1 && !nxm ? fc.constant(0n) : u64,
    cookieMask: version === 1 ? fc.constant(nxm ? 2n ** 64n - 1n : 0n) : u64,
    match:
      version === 1 && !nxm ? fc.constant(parseFlow('in_port=3,tcp,nw_dst=10.0.0.0/8,actions=drop').match) : anyMatch(),
    nxm: fc.constant(version === 1 && nxm),
  };
  const monitor = {
    id: u32,
    flags: fc.nat(0x3f).map((flags) => flags | 2),
    outPort: port,
    outGroup: version >= 5 ? u32 : fc.constant(ANY_GROUP),
    table: u8,
    match: anyMatch(),
  };
  const tableFeatures: fc.Arbitrary<TableFeatures> = fc.record({
    table: u8,
    name: text(31),
    metadataMatch: u64,
    metadataWrite: u64,
    config: u32,
    maxEntries: u32,
    ...(version >= 6 ? { command: u8, features: u32 } : {}),
    properties: fc.array(fc.record({ type: u16, content: bytes() }), { maxLength: 4 }),
  });
  const xid = u32;
  const make = (shape: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Message> =>
    fc.record({ xid, ...shape }) as unknown as fc.Arbitrary<Message>;
  const constant = fc.constant;
  const request = (body: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Message> =>
    make({ type: constant('multipart_request'), flags: u16, body: fc.record(body) });
  const reply = (body: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Message> =>
    make({ type: constant('multipart_reply'), flags: constant(0), body: fc.record(body) });
  const all: Record<string, fc.Arbitrary<Message>> = {
    hello: make({
      type: constant('hello'),
      versions: fc.uniqueArray(fc.nat(40), { minLength: 1 }).map((v) => v.sort((a, b) => a - b)),
    }),
    error: make({
      type: constant('error'),
      experimenter: constant(0),
      errorType: fc.nat(0x7fff),
      code: u16,
      data: bytes(80),
    }),
    experimenterError: make({
      type: constant('error'),
      experimenter: fc.integer({ min: 1, max: 0xffffffff }),
      errorType: u16,
      code: version === 1 ? u16 : constant(0),
      data: bytes(80),
    }),
    echo: make({ type: fc.constantFrom('echo_request', 'echo_reply'), data: bytes(200) }),
    bare: make({ type: fc.constantFrom('features_request', 'get_config_request', 'barrier_request', 'barrier_reply') }),
    features: make({
      type: constant('features_reply'),
      datapathId: u64,
      buffers: u32,
      tables: u8,
      auxiliaryId: version === 1 ? constant(0) : u8,
      capabilities: u32,
      actions: version === 1 ? u32 : constant(0),
      ports: version === 1 ? fc.array(anyPort(version), { maxLength: 4 }) : constant([]),
    }),
    config: make({
      type: fc.constantFrom('get_config_reply', 'set_config'),
      flags: fc.nat(version < 4 ? 7 : 3),
      missSendLen: u16,
    }),
    packetIn: make({
      type: constant('packet_in'),
      format: constant('standard'),
      bufferId: u32,
      totalLength: u16,
      reason: fc.nat(version >= 5 ? 5 : 2),
      table: version === 1 ? constant(0) : u8,
      ...(version >= 4 ? { cookie: fc.bigInt({ min: 0n, max: 2n ** 64n - 2n }) } : {}),
      metadata:
        version === 1
          ? fc.nat(0xfeff).map((n) => new MatchBuilder().setNumber(field('in_port_oxm'), n).build())
          : anyMatch('metadata'),
      data: bytes(100),
    }),
    packetIn2: make({
      type: constant('packet_in'),
      format: constant('nxt_packet_in2'),
      bufferId: u32,
      totalLength: u32,
      reason: fc.nat(5),
      table: u8,
      cookie: u64,
      metadata: anyMatch('metadata'),
      data: bytes(100),
      userdata: bytes(),
      continuation: bytes(),
    }),
    packetInNxt: make({
      type: constant('packet_in'),
      format: constant('nxt_packet_in'),
      bufferId: u32,
      totalLength: u16,
      reason: fc.nat(2),
      table: u8,
      cookie: fc.bigInt({ min: 0n, max: 2n ** 64n - 2n }),
      metadata: anyMatch('metadata'),
      data: bytes(100),
    }),
    packetOut: make({
      type: constant('packet_out'),
      bufferId: constant(0xffffffff),
      metadata: fc.nat(0xfeff).map((n) => new MatchBuilder().setNumber(field('in_port_oxm'), n).build()),
      actions: fc.constantFrom([], parseFlow('actions=output:1,set_field:5->reg0,resubmit(,3)').actions.slice(0, 1)),
      data: bytes(100),
    }),
    flowRemoved: make({
      type: constant('flow_removed'),
      match: version === 1 && !nxm ? constant(parseFlow('udp,tp_dst=53,actions=drop').match) : anyMatch(),
      cookie: u64,
      priority: u16,
      reason: u8,
      table: version === 1 ? (nxm ? fc.nat(253) : constant(255)) : u8,
      durationSec: u32,
      durationNsec: u32,
      idleTimeout: u16,
      hardTimeout: version === 1 ? constant(0) : u16,
      packetCount: u64,
      byteCount: u64,
    }),
    portStatus: make({
      type: constant('port_status'),
      reason: fc.constantFrom('add', 'delete', 'modify'),
      port: anyPort(version),
    }),
    portMod: make({
      type: constant('port_mod'),
      port: fc.nat(0xfeff),
      hardwareAddress: exactly(6),
      config: u32,
      mask: u32,
      advertise: featureBits(version),
    }),
    role: make({
      type: fc.constantFrom('role_request', 'role_reply'),
      ...(version === 1
        ? { role: fc.constantFrom(...ROLES.slice(1)) }
        : { role: fc.constantFrom(...ROLES), generationId: u64 }),
    }),
    async: make({
      type: version === 1 ? constant('set_async') : fc.constantFrom('get_async_reply', 'set_async'),
      packetIn: mask(0x3f),
      portStatus: mask(7),
      flowRemoved: mask(0x3f),
      ...(version >= 5 ? { roleStatus: mask(7), tableStatus: mask(0x18), requestForward: mask(3) } : {}),
    }),
    nicira: fc.oneof(
      make({ type: constant('nx_set_flow_format'), nxm: fc.boolean() }),
      make({ type: constant('nx_flow_mod_table_id'), enable: fc.boolean() }),
      make({
        type: constant('nx_set_packet_in_format'),
        format: fc.constantFrom('standard', 'nxt_packet_in', 'nxt_packet_in2'),
      }),
      make({ type: constant('nx_set_controller_id'), controllerId: u16 }),
    ),
    oko: make({ type: constant('oko'), subtype: u32, body: bytes() }),
    bareMultipart: request({
      kind: fc.constantFrom(
        'desc',
        'table',
        'group_desc',
        'group_features',
        ...(version >= 4 ? ['meter_features'] : []),
        ...(version >= 5 ? ['table_desc'] : []),
      ),
    }),
    selection: request({ kind: fc.constantFrom('flow', 'aggregate'), ...selection }),
    portRequest: request({ kind: constant('port'), port }),
    portDescRequest: request({ kind: constant('port_desc'), port: version >= 6 ? port : constant(OFPP.none) }),
    queueRequest: request({ kind: constant('queue'), port, queue: u32 }),
    flowMonitorRequest: request({
      kind: constant('flow_monitor'),
      monitors: fc.array(
        version >= 5
          ? fc.oneof(
              fc.record({ ...monitor, command: fc.constantFrom('add', 'modify') }),
              fc.record({ ...monitor, command: constant('delete'), flags: constant(0) }),
            )
          : fc.record({ ...monitor, command: constant('add') }),
        { maxLength: 3 },
      ),
    }),
    flowUpdates: reply({
      kind: constant('flow_monitor'),
      updates: fc.array(
        fc.oneof(
          fc.record({
            event: fc.constantFrom(...(version >= 5 ? ['initial'] : []), 'added', 'removed', 'modified'),
            reason: fc.nat(5),
            table: u8,
            priority: u16,
            idleTimeout: u16,
            hardTimeout: u16,
            cookie: u64,
            match: anyMatch(),
            actions: fc.constantFrom([], parseFlow('actions=output:1,resubmit(,3)').actions),
          }),
          fc.record({ event: constant('abbrev'), xid: u32 }),
          ...(version >= 5 ? [fc.record({ event: fc.constantFrom('paused', 'resumed') })] : []),
        ),
        { maxLength: 4 },
      ),
    }),
    unknownRequest: request({
      kind: constant('unknown'),
      multipartType: constant(0xffff),
      experimenter: constant(0x1234),
      subtype: u32,
      data: bytes(),
    }),
    desc: reply({
      kind: constant('desc'),
      manufacturer: text(255),
      hardware: text(255),
      software: text(255),
      serial: text(31),
      datapath: text(255),
    }),
    aggregate: reply({
      kind: constant('aggregate'),
      nxm: constant(version === 1 && nxm),
      packetCount: u64,
      byteCount: u64,
      flowCount: u32,
    }),
    table: reply({
      kind: constant('table'),
      tables: fc.array(
        fc.record({
          table: u8,
          name: version === 1 ? text(31) : constant(''),
          wildcards: version === 1 ? u32 : constant(0),
          maxEntries: version === 1 ? u32 : constant(0),
          active: u32,
          lookups: u64,
          matched: u64,
        }),
      ),
    }),
    port: reply({ kind: constant('port'), ports: fc.array(portStats, { maxLength: 5 }) }),
    portDesc: reply({ kind: constant('port_desc'), ports: fc.array(anyPort(version), { maxLength: 5 }) }),
    queue: reply({
      kind: constant('queue'),
      queues: fc.array(
        fc.record({ port: fc.nat(0xfeff), queue: u32, txBytes: u64, txPackets: u64, txErrors: u64, ...duration }),
        { maxLength: 5 },
      ),
    }),
  };
  if (version <= 4) {
    all.flowMonitorMessages = fc.oneof(
      make({ type: constant('flow_monitor_cancel'), monitor: u32 }),
      make({ type: fc.constantFrom('flow_monitor_paused', 'flow_monitor_resumed') }),
    );
    all.queueConfig = make({ type: constant('queue_get_config_request'), port: fc.nat(0xfeff) });
    all.queueConfigReply = fc.nat(0xfeff).chain((number) =>
      make({
        type: constant('queue_get_config_reply'),
        port: constant(number),
        queues: fc.array(fc.record({ port: constant(number), queue: u32, minRate: u16, maxRate: u16 }), {
          maxLength: 4,
        }),
      }),
    );
  }
  all.groupRequest = request({ kind: constant('group'), group: u32 });
  if (version >= 4) {
    all.meterRequest = request({ kind: fc.constantFrom('meter', 'meter_config'), meter: u32 });
    all.tableFeaturesRequest = request({
      kind: constant('table_features'),
      tables: fc.array(tableFeatures, { maxLength: 3 }),
    });
    all.bundle = make({
      type: constant('bundle_control'),
      bundleId: u32,
      control: fc.constantFrom(...BUNDLE_CONTROL_TYPES),
      flags: u16,
    });
    all.bundleAdd = make({
      type: constant('bundle_add'),
      bundleId: u32,
      flags: u16,
      message: u32.map((id) => encodeMessage({ type: 'barrier_request', xid: id }, { version })[0]),
    });
    all.tableFeatures = reply({ kind: constant('table_features'), tables: fc.array(tableFeatures, { maxLength: 3 }) });
    all.groupFeatures = reply({
      kind: constant('group_features'),
      types: u32,
      capabilities: u32,
      maxGroups: fc.array(u32, { minLength: 4, maxLength: 4 }),
      actions: fc.array(u32, { minLength: 4, maxLength: 4 }),
    });
    all.meterFeatures = reply({
      kind: constant('meter_features'),
      maxMeter: u32,
      bandTypes: u32,
      capabilities: u32,
      maxBands: u8,
      maxColor: u8,
    });
  }
  if (version >= 5) {
    all.roleStatus = make({
      type: constant('role_status'),
      role: fc.constantFrom(...ROLES),
      reason: fc.constantFrom(...ROLE_STATUS_REASONS),
      generationId: u64,
    });
    all.queueDescRequest = request({ kind: constant('queue_desc'), port, queue: u32 });
    all.tableDesc = reply({
      kind: constant('table_desc'),
      tables: fc.array(fc.record({ table: u8, config: u32, evictionFlags: u32 }), { maxLength: 5 }),
    });
    all.queueDesc = reply({
      kind: constant('queue_desc'),
      queues: fc.array(fc.record({ port: fc.nat(0xfeff), queue: u32, minRate: u16, maxRate: u16 }), { maxLength: 5 }),
    });
    all.tableMod = make({
      type: constant('table_mod'),
      table: u8,
      config: u32,
      evictionFlags: u32,
      vacancy: fc.tuple(fc.nat(100), fc.nat(100)).map(([a, b]) => ({ down: Math.min(a, b), up: Math.max(a, b) })),
    });
  }
  return all;
}

const encodeOne = (message: Message, dialect: Dialect): Uint8Array => {
  const parts = encodeMessage(message, dialect);
  expect(parts.length).toBe(1);
  return parts[0];
};

describe.each(VERSIONS)('messages of version %i', (version) => {
  const dialects: Dialect[] = version === 1 ? [{ version }, { version, nxm: true }] : [{ version }];
  for (const dialect of dialects)
    for (const [name, arbitrary] of Object.entries(messages(version, dialect.nxm === true)))
      it(`come back as they were: ${name}${dialect.nxm ? ' (NXM)' : ''}`, () => {
        const oko = { ...dialect, oko: true };
        fc.assert(
          fc.property(arbitrary, (message) => {
            expect(decodeMessage(encodeOne(message, oko), oko)).toEqual(message);
          }),
          { numRuns: 60 * LONG },
        );
      });

  it('carry flows: what one version can say comes back, and stays what it is', () => {
    for (const dialect of dialects)
      for (const flow of flows(dialect)) {
        const once = decodeMessage(encodeOne({ type: 'flow_mod', xid: 7, ...flow }, dialect), dialect);
        expect(decodeMessage(encodeOne(once, dialect), dialect)).toEqual(once);
      }
  });

  it('carry the statistics of flows', () => {
    for (const dialect of dialects) {
      const nxm = version === 1 && dialect.nxm === true;
      const stats: FlowStats[] = flows(dialect).flatMap((flow) => {
        const once = decodeMessage(encodeOne({ type: 'flow_mod', xid: 7, ...flow }, dialect), dialect);
        if (once.type !== 'flow_mod') return [];
        const { match, actions, priority, cookie } = once;
        const age = nxm ? { idleAge: 3, hardAge: 9 } : version >= 6 ? { idleAge: 3 } : {};
        return [
          {
            table: 3,
            priority,
            match,
            cookie,
            durationSec: 5,
            durationNsec: 6,
            idleTimeout: 7,
            hardTimeout: 8,
            ...age,
            packetCount: 10n,
            byteCount: 11n,
            flags: version === 1 ? 0 : 1,
            importance: version >= 5 ? 4 : 0,
            actions,
          },
        ];
      });
      const reply: Message = { type: 'multipart_reply', xid: 3, flags: 0, body: { kind: 'flow', nxm, flows: stats } };
      expect(decodeMessage(encodeOne(reply, dialect), dialect)).toEqual(reply);
    }
  });

  it('keep filter_prog from those who do not know it, in a note', () => {
    const flow = parseFlow('ip,filter_prog=7,actions=output:1');
    for (const dialect of dialects) {
      if (version === 1 && !dialect.nxm) continue;
      const known = decodeMessage(encodeOne({ type: 'flow_mod', xid: 1, ...flow }, { ...dialect, oko: true }), dialect);
      expect(known.type === 'flow_mod' && known.match.number(field('filter_prog'))).toBe(7);
      const other = decodeMessage(encodeOne({ type: 'flow_mod', xid: 1, ...flow }, dialect), dialect);
      if (other.type !== 'flow_mod') throw new Error('no flow_mod');
      expect(other.match.number(field('filter_prog'))).toBeUndefined();
      const [note, output] = other.actions;
      expect(note.type === 'note' && new TextDecoder().decode(note.data)).toMatch(/^filter_prog=7\0*$/);
      expect(output.type).toBe('output');
    }
  });
});

describe('long replies', () => {
  it('are parted into messages of at most 64 kB, all but the last with "more"', () => {
    const { match, actions } = parseFlow('tcp,actions=output:1');
    const flow: FlowStats = {
      table: 0,
      priority: 1,
      match,
      cookie: 1n,
      durationSec: 1,
      durationNsec: 2,
      idleTimeout: 0,
      hardTimeout: 0,
      packetCount: 1n,
      byteCount: 2n,
      flags: 0,
      importance: 0,
      actions,
    };
    const flows = Array.from({ length: 2000 }, (_, i) => ({ ...flow, cookie: BigInt(i) }));
    const parts = encodeMessage(
      { type: 'multipart_reply', xid: 9, flags: 0, body: { kind: 'flow', nxm: false, flows } },
      { version: 4 },
    );
    expect(parts.length).toBeGreaterThan(2);
    const decoded = parts.map((part) => decodeMessage(part, { version: 4 }));
    expect(decoded.map((part) => part.type === 'multipart_reply' && part.flags)).toEqual([
      ...parts.slice(1).map(() => 1),
      0,
    ]);
    const again = decoded.flatMap((part) =>
      part.type === 'multipart_reply' && part.body.kind === 'flow' ? part.body.flows : [],
    );
    expect(again).toEqual(flows);
  });

  it('of nothing are one message', () => {
    const parts = encodeMessage(
      { type: 'multipart_reply', xid: 9, flags: 0, body: { kind: 'flow', nxm: false, flows: [] } },
      { version: 4 },
    );
    expect(parts.map((part) => part.length)).toEqual([16]);
  });
});

describe('errors', () => {
  it('have numbers in every version, from which most names come back', () => {
    for (const name of Object.keys(ERROR_CODES) as ErrorName[])
      for (const version of VERSIONS) {
        const numbers = errorNumbers(name, version);
        if (!numbers) continue;
        const found = errorName(version, numbers);
        expect(found && errorNumbers(found, version)).toEqual(numbers);
      }
    expect(errorName(4, { experimenter: 0, type: 4, code: 9 })).toBe('OFPBMC_BAD_PREREQ');
  });

  it('answer with the offending message, also Nicira’s in OpenFlow 1.0', () => {
    const offending = new Uint8Array(100).fill(7);
    offending.set([1, 4, 0, 100, 0, 0, 0, 42]);
    const error = errorReply(new ProtocolError('OFPBMC_BAD_PREREQ', 'test'), offending, 1);
    expect(error).toMatchObject({ xid: 42, experimenter: 0x2320, errorType: 1, code: 260 });
    const back = decodeMessage(encodeOne(error, { version: 1 }), { version: 1 });
    expect(back).toEqual({ ...error, data: offending });
    expect(back.type === 'error' && nameOfError(back, 1)).toBe('OFPBMC_BAD_PREREQ');
  });
});

describe('a packet type', () => {
  const nxm = (...parts: string[]): Uint8Array => {
    const match = Uint8Array.from(Buffer.from(parts.join(''), 'hex'));
    const padded = new Uint8Array((match.length + 7) & ~7);
    padded.set(match);
    const head = Buffer.alloc(48);
    head.set([1, 4, 0, 48 + padded.length, 0, 0, 0, 1, 0, 0, 0x23, 0x20, 0, 0, 0, 13]);
    head.set([0xff, 0, 0, 0, 0, 0, 0x80, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, match.length], 24);
    return Buffer.concat([head, padded]);
  };
  const packetType = '8000580400010806';
  const [ethType, reg0] = ['0000060286dd', '0001000400000005'];

  it('may come after what is no header', () => {
    expect(decodeMessage(nxm(reg0, packetType), { version: 1, tableId: true })).toMatchObject({ type: 'flow_mod' });
  });

  // With ovs-ofctl ofp-print: OFPBMC_DUP_FIELD, since a header matched without a packet type is one of Ethernet.
  it.each([
    [ethType, packetType],
    [packetType, packetType],
    ['8000580400000000', packetType],
  ])('cannot come after %s', (before, after) => {
    expect(() => decodeMessage(nxm(before, after), { version: 1 })).toThrow('OFPBMC_DUP_FIELD');
  });
});

describe('MessageStream', () => {
  const barrier = (xid: number): Uint8Array => encodeMessage({ type: 'barrier_request', xid }, { version: 4 })[0];
  const echo = (length: number): Uint8Array =>
    encodeMessage({ type: 'echo_request', xid: 1, data: new Uint8Array(length) }, { version: 4 })[0];

  it('finds the messages however the bytes arrive', () => {
    const sent = [barrier(1), echo(1000), barrier(2), echo(65527), barrier(3)];
    const all = Buffer.concat(sent);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (sizes) => {
        const stream = new MessageStream();
        const got: Uint8Array[] = [];
        for (let at = 0, i = 0; at < all.length; i++) {
          const size = sizes[i % sizes.length];
          for (const message of stream.push(all.subarray(at, at + size))) got.push(message.slice());
          at += size;
        }
        expect(got.map((message) => message.length)).toEqual(sent.map((message) => message.length));
        expect(Buffer.concat(got).equals(all)).toBe(true);
        expect(stream.buffered).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('ends at a length that no message has', () => {
    const stream = new MessageStream();
    const bad = barrier(2);
    bad[3] = 7;
    const got: number[] = [];
    expect(() => {
      for (const message of stream.push(Buffer.concat([barrier(1), bad]))) got.push(readHeader(message).xid);
    }).toThrow(ProtocolError);
    expect(got).toEqual([1]);
    expect(() => [...stream.push(barrier(3))]).toThrow(ProtocolError);
  });
});

/** A statistics reply of one flow. */
function flowReply(flow: FlowMod, nxm: boolean): Message {
  const counters = { durationSec: 5, durationNsec: 6, packetCount: 10n, byteCount: 11n };
  return { type: 'multipart_reply', xid: 3, flags: 0, body: { kind: 'flow', nxm, flows: [{ ...flow, ...counters }] } };
}

describe('decoding what is mutated', () => {
  it.each(VERSIONS)(
    'raises protocol errors only, and what it takes can be written again (version %i)',
    (version) => {
      const dialects: Dialect[] =
        version === 1
          ? [
              { version, tableId: true, oko: true },
              { version, nxm: true, tableId: true, oko: true },
            ]
          : [{ version, oko: true }];
      for (const dialect of dialects) {
        const corpus = [
          ...flows(dialect).map((flow) => encodeOne({ type: 'flow_mod', xid: 1, ...flow }, dialect)),
          ...flows(dialect).map((flow) => encodeOne(flowReply(flow, dialect.nxm === true), dialect)),
          ...Object.values(messages(version, dialect.nxm === true)).flatMap((arbitrary) =>
            fc.sample(arbitrary, { numRuns: 5, seed: 3 }).map((message) => encodeOne(message, dialect)),
          ),
        ];
        const edit = fc.record({ at: fc.nat(0xffff), how: fc.nat(4), to: u8 });
        let taken = 0;
        const runs = 22_000 * LONG;
        fc.assert(
          fc.property(
            fc.nat(corpus.length - 1),
            fc.array(edit, { minLength: 1, maxLength: 4 }),
            fc.nat(20),
            (which, edits, cut) => {
              let bytes = corpus[which].slice();
              for (const { at, how, to } of edits) {
                const i = 4 + (at % Math.max(1, bytes.length - 4));
                if (how < 4) bytes[i] = [to, (bytes[i] ?? 0) ^ (1 << (to & 7)), (bytes[i] ?? 0) + 1, 0][how] & 0xff;
                else if (at % 3 === 0) bytes[1] = to;
              }
              if (cut === 0) bytes = bytes.slice(0, 8 + (edits[0].at % Math.max(1, bytes.length - 8)));
              bytes[2] = bytes.length >> 8;
              bytes[3] = bytes.length & 0xff;
              let message: Message;
              try {
                message = decodeMessage(bytes, dialect);
              } catch (error) {
                if (!(error instanceof ProtocolError)) throw error;
                expect(error.numbers(version).type).toBeGreaterThanOrEqual(0);
                return;
              }
              taken++;
              for (const part of encodeMessage(message, dialect)) {
                try {
                  decodeMessage(part, dialect);
                } catch (error) {
                  // Old actions become set_field, which is checked against the match more strictly than they were.
                  if (!(error instanceof ProtocolError) || error.errorName !== 'OFPBAC_MATCH_INCONSISTENT') throw error;
                }
              }
            },
          ),
          { numRuns: runs },
        );
        expect(taken).toBeGreaterThan(runs / 20);
      }
    },
    120_000,
  );
});
