import { BulkOp, type FunctionCode, type Label, Op, ValueType } from '../../../wasm/index.ts';
import { ERRNO } from '../../helpers.ts';
import { type KeyHashSecrets, keyHashSecrets, keyWords } from '../../maps/key-hash.ts';
import {
  LOCK_STRIDE,
  LRU_SAMPLE,
  MAP_HEADER,
  META_DEAD,
  META_EMPTY,
  QUARANTINE_EPOCHS,
  SLOT,
} from '../../maps/layout.ts';
import type { BpfMap } from '../../maps/map.ts';
import { assign, type Expression, i32, i64, type Local, let32, let64, local, store, when } from '../expression.ts';
import type { SharedWords } from '../shared-words.ts';

/** What an operation knows of its key once it is hashed. */
export interface HashedKeyCode {
  readonly words: readonly Expression[];
  /** Number of the home slot. */
  readonly home: Local;
  readonly tag: Local;
}

/** How an update writes a value. */
export interface UpdateCode {
  /** `address`: of the value in its slot. */
  writeValue(address: Expression): void;
  /** After that, of a key that was not there before. */
  afterNew?(address: Expression): void;
  /** The key is about to go in. */
  onInsert?(): void;
}

/**
 * The open-addressing table of the hash kinds as generated code: the twin of `maps/slot-table.ts`, with everything that
 * is constant for one map written as a constant. Slots are numbered; a slot's address is `base + number × stride`, of
 * which `base` goes into the instructions' offsets.
 */
export class SlotTableCode {
  readonly #map: BpfMap;
  readonly #words: SharedWords;
  readonly #base: number;
  readonly #epoch: Expression;
  readonly #evicts: boolean;
  readonly #secrets: KeyHashSecrets;

  constructor(map: BpfMap, words: SharedWords, epochAddress: number) {
    this.#map = map;
    this.#words = words;
    this.#secrets = keyHashSecrets(map.seed, map.definition.keySize);
    this.#base = map.address + map.layout.data;
    this.#evicts = map.definition.kind === 'lru-hash';
    this.#epoch = this.#words.load(i32.const(epochAddress), 0);
  }

  get #regionMask(): number {
    return 2 ** this.#map.layout.regionBits - 1;
  }

  /** Writes the hash of `maps/key-hash.ts` over words that are cheap to read twice. */
  hash(code: FunctionCode, words: readonly Expression[]): HashedKeyCode {
    const { layout } = this.#map;
    const secrets = this.#secrets;
    let sum: Expression;
    if (words.length === 1)
      sum = i64.mul(i64.xor(words[0], i64.const(secrets.words[0])), i64.const(secrets.wordMultiplier));
    else {
      sum = words
        .map((word, i) => {
          const secret = secrets.words[i];
          const low = i32.add(i32.wrap(word), i32.const(Number(BigInt.asIntN(32, secret))));
          const high = i32.add(
            i32.wrap(i64.shrU(word, i64.const(32n))),
            i32.const(Number(BigInt.asIntN(32, secret >> 32n))),
          );
          return i64.mul(i64.extendU(low), i64.extendU(high));
        })
        .reduce(i64.add);
    }
    const h = let64(code, sum);
    const mixed = let64(
      code,
      i64.mul(i64.xor(h.get, i64.shrU(h.get, i64.const(32n))), i64.const(secrets.finalMultiplier)),
    );
    const home = let32(code, i32.wrap(i64.shrU(mixed.get, i64.const(BigInt(64 - layout.slotBits)))));
    const tag = let32(code, i32.or(i32.wrap(i64.shrU(mixed.get, i64.const(24n))), i32.const(3)));
    return { words, home, tag };
  }

  /** Copies a key's words into locals, so that they can be read twice, and hashes them. */
  hashKey(code: FunctionCode, wordAt: (index: number) => Expression): HashedKeyCode {
    const count = keyWords(this.#map.definition.keySize);
    const words = Array.from({ length: count }, (_, i) => let64(code, wordAt(i)).get);
    return this.hash(code, words);
  }

  #offsetOf(index: Expression): Expression {
    const { stride } = this.#map.layout;
    const bits = Math.log2(stride);
    return Number.isInteger(bits) ? i32.shl(index, i32.const(bits)) : i32.mul(index, i32.const(stride));
  }

  #meta(slot: Expression): Expression {
    return this.#words.load(slot, this.#base + SLOT.meta);
  }

  #setMeta(code: FunctionCode, slot: Expression, value: Expression): void {
    this.#words.store(code, slot, this.#base + SLOT.meta, value);
  }

  #stamp(slot: Expression): Expression {
    return this.#words.load(slot, this.#base + SLOT.stamp);
  }

  #setStamp(code: FunctionCode, slot: Expression): void {
    this.#words.store(code, slot, this.#base + SLOT.stamp, this.#epoch);
  }

  #step(index: Expression, by: 1 | -1): Expression {
    const { slotBits, regionBits } = this.#map.layout;
    const within = i32.and(i32.add(index, i32.const(by)), i32.const(this.#regionMask));
    return slotBits === regionBits ? within : i32.or(i32.and(index, i32.const(~this.#regionMask)), within);
  }

  /** Branches to `label` unless the slot holds the key. */
  #unlessKey(code: FunctionCode, slot: Expression, key: HashedKeyCode, label: Label): void {
    key.words.forEach((word, i) => {
      i64.ne(i64.load(slot, this.#base + SLOT.key + 8 * i), word)(code);
      code.brIf(label);
    });
  }

  /** Pushes whether the slot holds the key. */
  #holdsKey(slot: Expression, key: HashedKeyCode): Expression {
    return (code) => {
      const done = code.block(ValueType.i32);
      const different = code.block();
      this.#unlessKey(code, slot, key, different);
      code.i32Const(1);
      code.br(done);
      code.end();
      code.i32Const(0);
      code.end();
    };
  }

  /**
   * Goes over the slots of the home's region, home first, each once: `visit` may leave by a branch. `slot` is the slot's
   * offset from the base, `index` its number.
   */
  #probe(
    code: FunctionCode,
    home: Local,
    visit: (slot: Local, index: Local, leave: Label) => void,
    start?: { readonly index: Local; readonly steps: Local },
  ): void {
    const index = start?.index ?? let32(code, home.get);
    const slot = local(code, ValueType.i32);
    const leave = code.block();
    const again = code.loop();
    assign(code, slot, this.#offsetOf(index.get));
    visit(slot, index, leave);
    assign(code, index, this.#step(index.get, 1));
    if (start === undefined) i32.ne(index.get, home.get)(code);
    else {
      assign(code, start.steps, i32.sub(start.steps.get, i32.const(1)));
      start.steps.get(code);
    }
    code.brIf(again);
    code.end();
    code.end();
  }

  /**
   * Sets `found` to the offset of the key's live slot and branches to `hit`; goes on behind when there is none. `homeFirst` looks
   * at the home slot, where most keys are, outside of the loop: more code, and faster.
   */
  #find(code: FunctionCode, key: HashedKeyCode, found: Local, hit: Label, homeFirst = false): void {
    const meta = local(code, ValueType.i32);
    const compare = (slot: Local, leave: Label): void => {
      const next = code.block();
      assign(code, meta, this.#meta(slot.get));
      i32.ne(meta.get, key.tag.get)(code);
      code.brIf(next);
      this.#unlessKey(code, slot.get, key, next);
      assign(code, found, slot.get);
      code.br(hit);
      code.end();
      // META_EMPTY is 0.
      i32.eqz(meta.get)(code);
      code.brIf(leave);
    };
    if (!homeFirst) {
      this.#probe(code, key.home, (slot, _index, leave) => compare(slot, leave));
      return;
    }
    const absent = code.block();
    compare(let32(code, this.#offsetOf(key.home.get)), absent);
    const index = let32(code, this.#step(key.home.get, 1));
    const steps = let32(code, i32.const(this.#regionMask));
    this.#probe(code, key.home, (slot, _index, leave) => compare(slot, leave), { index, steps });
    code.end();
  }

  /** Address of the value of the slot at an offset from the base. */
  #valueOf(slot: Expression): Expression {
    return i32.add(slot, i32.const(this.#base + this.#map.layout.valueOffset));
  }

  /** Writes a lookup that leaves, in an i32 variable, the address of the value; without one, 0, or it goes to `absent`. */
  lookup(code: FunctionCode, key: HashedKeyCode, absent?: Label): Local {
    const value = local(code, ValueType.i32);
    const slot = local(code, ValueType.i32);
    const done = code.block();
    const hit = code.block();
    this.#find(code, key, slot, hit, true);
    assign(code, value, i32.const(0));
    code.br(absent ?? done);
    code.end();
    if (this.#evicts) this.#touch(code, slot.get);
    assign(code, value, this.#valueOf(slot.get));
    code.end();
    return value;
  }

  #touch(code: FunctionCode, slot: Expression): void {
    const epoch = let32(code, this.#epoch);
    when(code, i32.ne(this.#stamp(slot), epoch.get), () =>
      this.#words.storeRelaxed(code, slot, this.#base + SLOT.stamp, epoch.get),
    );
  }

  /** Runs `body` under the lock of the key's region; `body` sets `result` and may branch to `done`. */
  #locked(code: FunctionCode, key: HashedKeyCode, body: (result: Local, done: Label) => void): Local {
    const { address, layout } = this.#map;
    const result = local(code, ValueType.i32);
    const lock = let32(code, i32.mul(i32.shrU(key.home.get, i32.const(layout.regionBits)), i32.const(LOCK_STRIDE)));
    const offset = address + MAP_HEADER.locks;
    this.#words.acquire(code, lock.get, offset);
    const done = code.block();
    body(result, done);
    code.end();
    this.#words.release(code, lock.get, offset);
    return result;
  }

  #addToCount(code: FunctionCode, amount: number): Expression {
    return this.#words.fetchAdd(code, i32.const(this.#map.address), MAP_HEADER.count, i32.const(amount));
  }

  /** Writes an update that leaves 0 or an errno. */
  update(code: FunctionCode, key: HashedKeyCode, actions: UpdateCode): Local {
    return this.#locked(code, key, (result, done) => {
      const slot = local(code, ValueType.i32);
      const hit = code.block();
      this.#find(code, key, slot, hit);
      this.#insert(code, key, actions, result, done);
      code.end();
      actions.writeValue(this.#valueOf(slot.get));
      if (this.#evicts) this.#touch(code, slot.get);
      assign(code, result, i32.const(0));
    });
  }

  /** Always leaves by a branch to `done`. */
  #insert(code: FunctionCode, key: HashedKeyCode, actions: UpdateCode, result: Local, done: Label): void {
    const fail = (errno: number): void => {
      this.#addToCount(code, -1);
      assign(code, result, i32.const(errno));
      code.br(done);
    };
    const before = this.#addToCount(code, 1);
    when(code, i32.geU(before, i32.const(this.#map.definition.maxEntries)), () => {
      if (!this.#evicts) {
        fail(ERRNO.E2BIG);
        return;
      }
      const victim = this.#victim(code, key.home);
      when(code, i32.eq(victim.get, i32.const(-1)), () => fail(ERRNO.E2BIG));
      this.#retire(code, victim);
      this.#addToCount(code, -1);
    });
    const slot = this.#takeSlot(code, key);
    when(code, i32.eq(slot.get, i32.const(-1)), () => fail(ERRNO.ENOMEM));
    actions.onInsert?.();
    this.#setStamp(code, slot.get);
    key.words.forEach((word, i) => {
      store(code, Op.i64Store, slot.get, this.#base + SLOT.key + 8 * i, word);
    });
    const value = this.#valueOf(slot.get);
    actions.writeValue(value);
    actions.afterNew?.(value);
    this.#setMeta(code, slot.get, key.tag.get);
    assign(code, result, i32.const(0));
    code.br(done);
  }

  #isFree(slot: Expression): Expression {
    return i32.geU(i32.sub(this.#epoch, this.#stamp(slot)), i32.const(QUARANTINE_EPOCHS));
  }

  /** Leaves the offset of the slot for a new key, by the preferences of `maps/layout.ts`; -1 when none may be taken. */
  #takeSlot(code: FunctionCode, key: HashedKeyCode): Local {
    const taken = let32(code, i32.const(-1));
    const meta = local(code, ValueType.i32);
    const index = let32(code, key.home.get);
    const steps = let32(code, i32.const(this.#regionMask + 1));
    const deadTag = i32.and(key.tag.get, i32.const(~1));
    const chosen = code.block();
    this.#probe(
      code,
      key.home,
      (slot, _index, leave) => {
        assign(code, meta, this.#meta(slot.get));
        i32.eqz(meta.get)(code);
        code.brIf(leave);
        when(code, i32.eqz(i32.and(meta.get, i32.const(1))), () => {
          when(code, i32.eq(meta.get, deadTag), () => {
            when(code, this.#holdsKey(slot.get, key), () => {
              assign(code, taken, slot.get);
              code.br(chosen);
            });
          });
          when(code, i32.eq(taken.get, i32.const(-1)), () => {
            when(code, this.#isFree(slot.get), () => assign(code, taken, slot.get));
          });
        });
      },
      { index, steps },
    );
    i32.ne(taken.get, i32.const(-1))(code);
    code.brIf(chosen);
    i32.eqz(steps.get)(code);
    code.brIf(chosen);
    this.#probe(
      code,
      key.home,
      (slot) => {
        assign(code, meta, this.#meta(slot.get));
        when(code, i32.eqz(i32.and(meta.get, i32.const(1))), () => {
          when(code, i32.or(this.#isFree(slot.get), this.#holdsKey(slot.get, key)), () => {
            assign(code, taken, slot.get);
            code.br(chosen);
          });
          when(code, i32.eq(meta.get, i32.const(META_EMPTY)), () =>
            this.#setMeta(code, slot.get, i32.const(META_DEAD)),
          );
        });
      },
      { index, steps },
    );
    code.end();
    return taken;
  }

  /** Leaves the number of the slot to evict, or -1. */
  #victim(code: FunctionCode, home: Local): Local {
    const victim = let32(code, i32.const(-1));
    const oldest = let32(code, i32.const(0));
    const sampled = let32(code, i32.const(0));
    const age = local(code, ValueType.i32);
    const epoch = let32(code, this.#epoch);
    this.#probe(code, home, (slot, index, leave) => {
      when(code, i32.and(this.#meta(slot.get), i32.const(1)), () => {
        assign(code, age, i32.sub(epoch.get, this.#stamp(slot.get)));
        const older = i32.or(i32.eq(victim.get, i32.const(-1)), i32.gtU(age.get, oldest.get));
        when(code, older, () => {
          assign(code, oldest, age.get);
          assign(code, victim, index.get);
        });
        assign(code, sampled, i32.add(sampled.get, i32.const(1)));
        i32.eq(sampled.get, i32.const(LRU_SAMPLE))(code);
        code.brIf(leave);
      });
    });
    return victim;
  }

  /** Makes a live slot dead, and dead ones at the end of a chain empty. Takes its number. */
  #retire(code: FunctionCode, index: Local): void {
    const slot = let32(code, this.#offsetOf(index.get));
    const meta = local(code, ValueType.i32);
    const at = local(code, ValueType.i32);
    const steps = local(code, ValueType.i32);
    this.#setMeta(code, slot.get, i32.and(this.#meta(slot.get), i32.const(~1)));
    this.#setStamp(code, slot.get);
    when(code, i32.eqz(this.#meta(this.#offsetOf(this.#step(index.get, 1)))), () => {
      assign(code, at, index.get);
      assign(code, steps, i32.const(this.#regionMask + 1));
      const done = code.block();
      const again = code.loop();
      assign(code, slot, this.#offsetOf(at.get));
      assign(code, meta, this.#meta(slot.get));
      i32.eqz(meta.get)(code);
      code.brIf(done);
      i32.and(meta.get, i32.const(1))(code);
      code.brIf(done);
      this.#setMeta(code, slot.get, i32.const(META_EMPTY));
      assign(code, at, this.#step(at.get, -1));
      assign(code, steps, i32.sub(steps.get, i32.const(1)));
      steps.get(code);
      code.brIf(again);
      code.end();
      code.end();
    });
  }

  /** Writes a deletion that leaves 0 or an errno. */
  delete(code: FunctionCode, key: HashedKeyCode, onDeleted?: () => void): Local {
    return this.#locked(code, key, (result, done) => {
      const slot = local(code, ValueType.i32);
      const hit = code.block();
      this.#find(code, key, slot, hit);
      assign(code, result, i32.const(ERRNO.ENOENT));
      code.br(done);
      code.end();
      const index = local(code, ValueType.i32);
      slot.get(code);
      this.#divideByStride(code);
      code.localSet(index.index);
      this.#retire(code, index);
      this.#addToCount(code, -1);
      onDeleted?.();
      assign(code, result, i32.const(0));
    });
  }

  #divideByStride(code: FunctionCode): void {
    code.i32Const(this.#map.layout.stride);
    code.op(Op.i32DivU);
  }
}

/** Copies bytes that may overlap: both addresses are read twice. */
export function copyBytes(code: FunctionCode, to: Expression, from: Expression, bytes: number): void {
  if (bytes > MAX_UNROLLED_COPY) {
    to(code);
    from(code);
    code.i32Const(bytes);
    code.bulk(BulkOp.memoryCopy);
    return;
  }
  // Everything is read before anything is written.
  const parts: { op: Op; offset: number; value: Local }[] = [];
  for (let offset = 0; offset < bytes; ) {
    const left = bytes - offset;
    const [size, load, write, type] = left >= 8 ? COPIES[0] : left >= 4 ? COPIES[1] : left >= 2 ? COPIES[2] : COPIES[3];
    const value = local(code, type);
    from(code);
    code.memory(load, offset);
    code.localSet(value.index);
    parts.push({ op: write, offset, value });
    offset += size;
  }
  for (const { op, offset, value } of parts) store(code, op, to, offset, value.get);
}

const MAX_UNROLLED_COPY = 64;
const COPIES = [
  [8, Op.i64Load, Op.i64Store, ValueType.i64],
  [4, Op.i32Load, Op.i32Store, ValueType.i32],
  [2, Op.i32Load16U, Op.i32Store16, ValueType.i32],
  [1, Op.i32Load8U, Op.i32Store8, ValueType.i32],
] as const;
