import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OkoError } from '../../bytes/index.ts';
import { OPENFLOW_VERSIONS } from '../../packet/index.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import { errorReply } from './error-reply.ts';
import { CHUNK_BYTES, decodeOko, encodeObject, encodeOko, OKO_SUBTYPE } from './oko-codec.ts';
import {
  EXTENSION_ERROR_NUMBERS,
  EXTENSION_ERRORS,
  ExtensionError,
  extensionErrorOf,
  standardNameOf,
} from './oko-errors.ts';
import {
  CONTENTS_REASONS,
  KEPT_MAPS,
  MAP_KINDS,
  MAP_UPDATE_MODES,
  type OkoBody,
  type ProgramDescription,
} from './oko-message.ts';
import { ProtocolError } from './protocol-error.ts';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const name = fc.string({ unit: 'grapheme', maxLength: 20 });
const flag = fc.boolean();
const bytes = fc.uint8Array({ maxLength: 200 });
const map = fc.oneof(fc.integer({ min: 0, max: 0xfffe }), name);

const block = fc
  .record({ keySize: fc.integer({ min: 1, max: 9 }), valueSize: fc.integer({ min: 0, max: 9 }) })
  .chain(({ keySize, valueSize }) =>
    fc.integer({ min: 0, max: 9 }).chain((count) => {
      const length = count * (keySize + valueSize);
      return fc.record({
        keySize: fc.constant(keySize),
        valueSize: fc.constant(valueSize),
        count: fc.constant(count),
        entries: fc.uint8Array({ minLength: length, maxLength: length }),
      });
    }),
  );

const description: fc.Arbitrary<ProgramDescription> = fc.record({
  ...{ program: u16, name, section: name, function: name, loadedAtNs: u64, objectBytes: u32, flows: u32 },
  ...{ runs: u64, matches: u64, failures: u64, sampledRuns: u64, sampledNs: u64 },
  verifier: fc.record({
    ...{
      instructions: u32,
      visited: u32,
      states: u32,
      longestPath: u32,
      stackBytes: u16,
      frames: u16,
      packetBytes: u32,
    },
  }),
  maps: fc.array(
    fc.record({
      ...{ name, mapKind: fc.constantFrom(...MAP_KINDS), readOnly: flag },
      ...{ keySize: u32, valueSize: u32, maxEntries: u32, hashCount: u32, bytes: u64 },
    }),
    { maxLength: 4 },
  ),
});

const about = { program: u16, map };
/** Any body of each kind. */
const bodies: { readonly [K in OkoBody['kind']]: fc.Arbitrary<Extract<OkoBody, { readonly kind: K }>> } = {
  features_request: fc.constant({ kind: 'features_request' }),
  features_reply: fc.record({
    kind: fc.constant('features_reply'),
    revision: fc.integer({ min: 0, max: 255 }),
    ...{ programs: u32, maxPrograms: u32, maxObjectBytes: u32, mapBytes: u64, maxMapBytes: u64 },
  }),
  prog_load: fc.record({
    kind: fc.constant('prog_load'),
    ...{ program: u16, replace: flag, keepMaps: fc.constantFrom(...KEPT_MAPS), verifyOnly: flag, more: flag },
    ...{ totalBytes: u32, offset: u32, name, section: name, function: name, data: bytes },
  }),
  prog_load_reply: fc.record({
    kind: fc.constant('prog_load_reply'),
    ...{ verifyOnly: flag, replaced: flag, keptMaps: u16, description },
  }),
  prog_unload: fc.record({ kind: fc.constant('prog_unload'), program: u16, force: flag }),
  prog_desc_request: fc.record({ kind: fc.constant('prog_desc_request'), program: u16 }),
  prog_desc_reply: fc.record({
    kind: fc.constant('prog_desc_reply'),
    ...{ more: flag, programs: fc.array(description, { maxLength: 3 }) },
  }),
  map_update: fc
    .tuple(fc.record({ ...about, mode: fc.constantFrom(...MAP_UPDATE_MODES) }), block)
    .map(([head, entries]) => ({ kind: 'map_update', ...head, ...entries })),
  map_delete: fc
    .tuple(fc.record({ ...about, all: flag }), block)
    .map(([head, entries]) => ({ kind: 'map_delete', ...head, ...entries })),
  map_lookup: fc.tuple(fc.record(about), block).map(([head, entries]) => ({ kind: 'map_lookup', ...head, ...entries })),
  map_dump: fc.record({ kind: fc.constant('map_dump'), ...about }),
  map_subscribe: fc.record({
    kind: fc.constant('map_subscribe'),
    ...{ ...about, subscription: u32, periodMs: u32, onlyChanges: flag },
  }),
  map_contents: fc
    .tuple(
      fc.record({
        ...{ program: u16, map: u16, name, mapKind: fc.constantFrom(...MAP_KINDS), more: flag, deleted: flag },
        ...{ reason: fc.constantFrom(...CONTENTS_REASONS), subscription: u32, total: u64 },
      }),
      block,
    )
    .map(([head, entries]) => ({ kind: 'map_contents', ...head, ...entries })),
};
const kinds = Object.keys(OKO_SUBTYPE) as OkoBody['kind'][];
const anyBody = fc.oneof(...kinds.map((kind) => bodies[kind] as fc.Arbitrary<OkoBody>));
const RUNS = process.env.OKO_LONG === '1' ? 20_000 : 300;

describe('messages of the extension', () => {
  it.each(kinds)('%s is read as it was written, in every version', (kind) => {
    fc.assert(
      fc.property(bodies[kind] as fc.Arbitrary<OkoBody>, u32, (body, xid) => {
        expect(decodeOko(encodeOko(body))).toEqual(body);
        for (const version of Object.values(OPENFLOW_VERSIONS)) {
          const [message] = encodeMessage({ ...encodeOko(body), xid }, { version });
          const read = decodeMessage(message, { version });
          expect(read.xid).toBe(xid);
          expect(read.type === 'oko' && decodeOko(read)).toEqual(body);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('a body that is cut, longer or otherwise changed is refused with a code, or read as another', () => {
    const change = fc.record({
      at: fc.nat(),
      value: fc.integer({ min: 0, max: 255 }),
      cut: fc.integer({ min: -40, max: 40 }),
    });
    fc.assert(
      fc.property(anyBody, fc.array(change, { minLength: 1, maxLength: 4 }), (body, changes) => {
        const { subtype, body: whole } = encodeOko(body);
        let changed = new Uint8Array(whole);
        for (const { at, value, cut } of changes) {
          if (changed.length > 0) changed[at % changed.length] = value;
          if (cut < 0) changed = changed.slice(0, Math.max(0, changed.length + cut));
          else changed = Uint8Array.from([...changed, ...new Uint8Array(cut)]);
        }
        try {
          const read = decodeOko({ type: 'oko', subtype, body: changed });
          expect(read.kind).toBe(body.kind);
        } catch (error) {
          expect(error).toBeInstanceOf(ExtensionError);
          expect((error as ExtensionError).code).toBe('OKO_BAD_REQUEST');
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('any bytes under any number are read or refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.uint8Array({ maxLength: 300 }), (subtype, body) => {
        try {
          decodeOko({ type: 'oko', subtype, body });
        } catch (error) {
          expect(error).toBeInstanceOf(OkoError);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('an object goes in parts that follow each other, the names in the first', () => {
    const object = Uint8Array.from({ length: 2 * CHUNK_BYTES + 1 }, (_, i) => i);
    const load = { program: 3, replace: true, keepMaps: 'all', verifyOnly: false } as const;
    const parts = [...encodeObject({ ...load, name: 'n', section: 's', function: 'f' }, object)].map(decodeOko);
    expect(
      parts.map((part) => part.kind === 'prog_load' && [part.offset, part.more, part.name, part.data.length]),
    ).toEqual([
      [0, true, 'n', CHUNK_BYTES],
      [CHUNK_BYTES, true, '', CHUNK_BYTES],
      [2 * CHUNK_BYTES, false, '', 1],
    ]);
    expect([...encodeObject({ ...load, name: '', section: '', function: '' }, new Uint8Array(0))]).toHaveLength(1);
  });

  it('a name that is too long is cut between two characters', () => {
    const long = 'ü'.repeat(200);
    const read = decodeOko(encodeOko({ kind: 'map_dump', program: 1, map: long }));
    expect(read).toEqual({ kind: 'map_dump', program: 1, map: 'ü'.repeat(127) });
  });

  it('entries without bytes are refused, however many there are said to be', () => {
    const { subtype, body } = encodeOko({
      kind: 'map_lookup',
      program: 1,
      map: 0,
      keySize: 0,
      valueSize: 0,
      count: 0,
      entries: new Uint8Array(0),
    });
    const many = new Uint8Array(body);
    many.fill(0xff, 16, 20);
    expect(() => decodeOko({ type: 'oko', subtype, body: many })).toThrow(/entries without bytes/);
  });
});

describe('errors of the extension', () => {
  const codes = Object.keys(EXTENSION_ERRORS) as (keyof typeof EXTENSION_ERRORS)[];

  it.each(codes)('%s comes back with its explanation, to peers that know it', (code) => {
    const error = new ExtensionError(code, 'warum nicht: ü');
    const refused = new ProtocolError(standardNameOf(code), error.message, error);
    const offending = Uint8Array.of(4, 4, 0, 8, 0, 0, 0, 9);
    for (const version of Object.values(OPENFLOW_VERSIONS)) {
      const [bytes] = encodeMessage(errorReply(refused, offending, version, true), { version });
      const read = decodeMessage(bytes, { version });
      expect(read.xid).toBe(9);
      expect(read.type === 'error' && extensionErrorOf(read)).toEqual(error);
      const [plain] = encodeMessage(errorReply(refused, offending, version), { version });
      const other = decodeMessage(plain, { version });
      expect(other.type === 'error' && extensionErrorOf(other)).toBeUndefined();
      expect(other.type === 'error' && other.data).toEqual(offending);
    }
  });

  it('have numbers of their own, which never change', () => {
    expect(Object.values(EXTENSION_ERROR_NUMBERS)).toEqual(codes.map((_, i) => i + 1));
  });

  it('an explanation that fits into no message is cut', () => {
    const error = new ExtensionError('OKO_REJECTED', 'ü'.repeat(40_000));
    const message = errorReply(new ProtocolError('OFPBRC_EPERM', 'x', error), new Uint8Array(8), 4, true);
    const [bytes] = encodeMessage(message, { version: 4 });
    expect(bytes.length).toBeLessThanOrEqual(0xffff);
    const read = decodeMessage(bytes, { version: 4 });
    expect(read.type === 'error' && extensionErrorOf(read)?.message).toMatch(/^ü+$/);
  });
});
