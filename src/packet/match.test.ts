import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allOnes,
  FIELDS,
  type Field,
  field,
  fieldOfWire,
  fieldValue,
  isExact,
  KEY,
  KEY_BYTES,
  KEY_FULL_BYTES,
  Match,
  MatchBuilder,
  newKey,
  placeMask,
  prerequisiteHolds,
  readField,
  valueToNumber,
  writeField,
} from './index.ts';

/** A value of a field: random bytes, cut to its significant bits. */
const valueFor = (f: Field): fc.Arbitrary<Uint8Array> => {
  const ones = allOnes(f);
  return fc.uint8Array({ minLength: f.bytes, maxLength: f.bytes }).map((bytes) => bytes.map((b, i) => b & ones[i]));
};
const anyField = fc.constantFrom(...FIELDS);
const anyFieldMatch = anyField.chain((f) =>
  fc.record({ field: fc.constant(f), value: valueFor(f), mask: f.maskable ? valueFor(f) : fc.constant(allOnes(f)) }),
);
const anyMatch = fc.array(anyFieldMatch, { maxLength: 6 }).map((parts) => {
  const builder = new MatchBuilder();
  for (const part of parts) builder.set(part.field, part.value, part.mask);
  return builder.build();
});
const sparseKey = fc.array(fc.tuple(fc.nat(KEY_BYTES - 1), fc.nat(255)), { maxLength: 20 }).map((bytes) => {
  const key = newKey();
  for (const [at, byte] of bytes) key[at] = byte;
  return key;
});

/** The meaning of a match, bit by bit, from its dense form. */
function matchesPlainly(match: Match, key: Uint8Array): boolean {
  const mask = new Uint8Array(KEY_FULL_BYTES);
  match.mask.addTo(mask);
  const value = match.toKey();
  return mask.every((bits, i) => ((key[i] ?? 0) & bits) === (value[i] ?? 0));
}

describe('the field registry', () => {
  it('has every name and every wire id once', () => {
    const names = FIELDS.flatMap((f) => (f.alias === undefined ? [f.name] : [f.name, f.alias]));
    expect(new Set(names).size).toBe(names.length);
    for (const f of FIELDS)
      for (const id of f.wire) expect(fieldOfWire(id.oxmClass, id.number, id.experimenter)).toBe(f);
  });

  it('keeps every place inside the key and the canonical ones of one kind of packet apart', () => {
    const owners = new Map<string, Field>();
    for (const f of FIELDS) {
      expect(f.place.offset + f.place.bytes).toBeLessThanOrEqual(KEY_FULL_BYTES);
      expect(f.bits).toBeLessThanOrEqual(8 * f.bytes);
      if (!f.canonical) continue;
      placeMask(f).forEach((bits, i) => {
        for (let bit = 0; bit < 8; bit++) {
          if ((bits & (1 << bit)) === 0) continue;
          const at = `${f.place.offset + i}.${bit}`;
          const other = owners.get(at);
          if (other) expect(new Set([other.prerequisite, f.prerequisite]).size, `${other.name} ${f.name}`).toBe(2);
          owners.set(at, f);
        }
      });
    }
  });

  it('reads back from a key what was written, without touching other bytes', () => {
    fc.assert(
      fc.property(
        anyField.chain((f) => fc.tuple(fc.constant(f), valueFor(f))),
        sparseKey,
        ([f, value], start) => {
          fc.pre(f.special !== 'tos' || (value[0] & 3) === 0);
          const key = new Uint8Array(KEY_FULL_BYTES);
          key.set(start);
          const before = key.slice();
          writeField(f, key, value);
          expect(readField(f, key)).toEqual(value);
          const mask = new Uint8Array(KEY_FULL_BYTES);
          new MatchBuilder().set(f, allOnes(f)).build().mask.addTo(mask);
          if (f.special === 'packetType') mask.fill(0xff, KEY.packetType, KEY.packetType + 4);
          expect(key.every((byte, i) => ((byte ^ before[i]) & ~mask[i]) === 0)).toBe(true);
        },
      ),
    );
  });
});

describe('Match', () => {
  it('gives back what was set', () => {
    fc.assert(
      fc.property(anyFieldMatch, ({ field: f, value, mask }) => {
        fc.pre(mask.some((byte) => byte !== 0));
        fc.pre(f.special !== 'packetType' || value.some((byte) => byte !== 0));
        fc.pre(f.special !== 'tos');
        const match = new MatchBuilder().set(f, value, mask).build();
        const found = match.get(f);
        expect(found?.value).toEqual(value.map((byte, i) => byte & mask[i]));
        expect(found?.mask).toEqual(mask);
      }),
    );
  });

  it('is a value: equal sets of bits are equal matches, by whichever field they came', () => {
    fc.assert(
      fc.property(anyMatch, anyMatch, (a, b) => {
        const rebuilt = a.toBuilder().build();
        expect(rebuilt.equals(a)).toBe(true);
        expect(rebuilt.identity).toBe(a.identity);
        expect(a.equals(b)).toBe(a.identity === b.identity);
        expect(a.equals(b)).toBe(a.covers(b) && b.covers(a));
      }),
    );
    const byVid = new MatchBuilder().setNumber(field('vlan_vid'), 0x1005).build();
    expect(byVid.equals(new MatchBuilder().setNumber(field('dl_vlan'), 5).build())).toBe(true);
    const byRegs = new MatchBuilder().setNumber(field('reg0'), 1).setNumber(field('reg1'), 2).build();
    expect(byRegs.equals(new MatchBuilder().setNumber(field('xreg0'), 0x1_0000_0002n).build())).toBe(true);
  });

  it('matches exactly the keys that agree in the masked bits', () => {
    fc.assert(
      fc.property(anyMatch, sparseKey, fc.boolean(), (match, key, force) => {
        const own = match.toKey();
        const packet = force ? key.map((byte, i) => (match.mask.at(i) === 0 ? byte : own[i])) : key;
        expect(match.matches(packet)).toBe(matchesPlainly(match, packet));
        expect(match.matches(own)).toBe(true);
        expect(match.mask.pack(packet) === match.value).toBe(match.matches(packet));
      }),
    );
  });

  it('covers what adds bits to it, and overlaps what one packet can match too', () => {
    fc.assert(
      fc.property(anyMatch, anyFieldMatch, anyMatch, (match, more, other) => {
        expect(Match.ALL.covers(match)).toBe(true);
        const narrower = match.toBuilder().set(more.field, more.value, more.mask).build();
        if (match.get(more.field) === undefined) expect(match.covers(narrower)).toBe(true);
        if (match.covers(other)) expect(match.overlaps(other)).toBe(true);
        const overlap = match.overlaps(other);
        expect(other.overlaps(match)).toBe(overlap);
        if (overlap) {
          const both = new Uint8Array(KEY_FULL_BYTES);
          for (const key of [match.toKey(), other.toKey()])
            key.forEach((byte, i) => {
              both[i] |= byte;
            });
          expect(match.matches(both) && other.matches(both)).toBe(true);
        }
      }),
    );
  });

  it('lists each matched bit in one field, from which it can be built again', () => {
    const ip = new MatchBuilder().setNumber(field('eth_type'), 0x0800).setNumber(field('nw_proto'), 6);
    ip.setNumber(field('tcp_dst'), 80).setNumber(field('nw_tos'), 0x20).setNumber(field('vlan_vid'), 0x1007);
    expect([...ip.build().fields()].map((m) => m.field.name)).toEqual([
      'eth_type',
      'vlan_tci',
      'ip_dscp',
      'nw_proto',
      'tcp_dst',
    ]);
    fc.assert(
      fc.property(anyMatch, (match) => {
        const again = new MatchBuilder();
        for (const part of match.fields()) again.set(part.field, part.value, part.mask);
        expect(again.build().covers(match)).toBe(true);
        const complete = match.mask.fields.every((f) => prerequisiteHolds(f.prerequisite, match));
        if (complete) expect(again.build().equals(match)).toBe(true);
      }),
    );
  });

  it('shares its mask with every match that looks at the same bits', () => {
    const of = (address: number): Match =>
      new MatchBuilder().setNumber(field('eth_type'), 0x0800).setNumber(field('ip_dst'), address).build();
    expect(of(1).mask).toBe(of(2).mask);
    expect(of(1).value.length).toBe(6);
    expect(of(0x0a000001).number(field('ip_dst'))).toBe(0x0a000001);
  });

  it('takes no tag, any tag and a tag apart', () => {
    const tci = (value: number): Uint8Array => {
      const key = newKey();
      key[KEY.vlanTci] = value >> 8;
      key[KEY.vlanTci + 1] = value;
      return key;
    };
    const none = new MatchBuilder().setNumber(field('dl_vlan'), 0xffff).build();
    const five = new MatchBuilder().setNumber(field('dl_vlan'), 5).build();
    const any = new MatchBuilder()
      .set(field('vlan_vid'), fieldValue(field('vlan_vid'), 0x1000), fieldValue(field('vlan_vid'), 0x1000))
      .build();
    const pcp = new MatchBuilder().setNumber(field('dl_vlan_pcp'), 3).build();
    expect([0, 0x1005, 0x7005].map((v) => [none, five, any, pcp].map((m) => m.matches(tci(v))))).toEqual([
      [true, false, false, false],
      [false, true, true, false],
      [false, true, true, true],
    ]);
    expect(readField(field('dl_vlan'), tci(0))).toEqual(new Uint8Array([0xff, 0xff]));
  });

  it('keeps the port number whole when it is given in 16 bits', () => {
    const local = new MatchBuilder().setNumber(field('in_port'), 0xfffe).build();
    expect(local.number(field('in_port_oxm'))).toBe(0xfffffffe);
    const found = local.get(field('in_port'));
    expect(found && isExact(found) && valueToNumber(found.value)).toBe(0xfffe);
  });

  it('costs little for each of many rules', () => {
    const dst = field('ip_dst');
    const first = new MatchBuilder().setNumber(field('eth_type'), 0x0800).setNumber(dst, 0).build();
    const matches = Array.from({ length: 1000 }, (_, i) => first.toBuilder().setNumber(dst, i).build());
    expect(new Set(matches.map((m) => m.mask)).size).toBe(1);
    expect(new Set(matches.map((m) => m.identity)).size).toBe(1000);
  });
});
