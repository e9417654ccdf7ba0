import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../test/support/property-runs.ts';
import { BlockAllocator } from './allocator.ts';
import { EbpfMemory, NULL_BYTES, WINDOW_GUARD } from './memory.ts';

test('blocks are aligned, disjoint, within bounds, and all bytes come back', () => {
  const step = fc.oneof(fc.record({ take: fc.nat(500) }), fc.record({ give: fc.nat(1000) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const allocator = new BlockAllocator(64, 4096);
      const held: { address: number; bytes: number }[] = [];
      for (const each of steps) {
        if ('take' in each) {
          const block = allocator.allocate(each.take);
          if (block === undefined) continue;
          expect(block.address % 64).toBe(0);
          expect(block.address).toBeGreaterThanOrEqual(64);
          expect(block.address + each.take).toBeLessThanOrEqual(4096);
          for (const other of held)
            expect(block.address >= other.address + other.bytes || other.address >= block.address + each.take).toBe(
              true,
            );
          held.push({ address: block.address, bytes: Math.max(each.take, 1) });
        } else if (held.length > 0) {
          const [block] = held.splice(each.give % held.length, 1);
          expect(allocator.free(block.address)).toBe(true);
          expect(allocator.free(block.address)).toBe(false);
        }
        expect(allocator.bytesUsed + allocator.bytesFree).toBe(4032);
      }
      for (const { address } of held) allocator.free(address);
      // In one piece again.
      expect(allocator.allocate(4032)?.address).toBe(64);
    }),
    { numRuns: runs(300) },
  );
});

test('memory that comes back is zeroed before it is handed out again', () => {
  const memory = EbpfMemory.standalone({ windowBits: 16 });
  const address = memory.allocate(100, 'a test');
  expect(address).toBeGreaterThanOrEqual(NULL_BYTES);
  memory.bytes.fill(7, address, address + 100);
  memory.free(address);
  expect(memory.allocate(100, 'a test')).toBe(address);
  expect(memory.bytes.slice(address, address + 100)).toEqual(new Uint8Array(100));
});

test('views follow an unshared memory that its owner grows', () => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 4 });
  const window = new EbpfMemory({ memory, windowBits: 16 });
  window.bytes[5000] = 42;
  memory.grow(1);
  expect(window.bytes[5000]).toBe(42);
  window.view.setUint8(5001, 43);
  expect(new Uint8Array(memory.buffer)[5001]).toBe(43);
});

test('windows that make no sense are refused', () => {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const wrong = expect.objectContaining({ code: 'BPF_BAD_WINDOW' });
  expect(() => new EbpfMemory({ memory, windowBits: 15 })).toThrow(wrong);
  expect(() => new EbpfMemory({ memory, windowBits: 17 })).toThrow(wrong);
  expect(() => new EbpfMemory({ memory, windowBits: 16, start: 0 })).toThrow(wrong);
  expect(() => new EbpfMemory({ memory, windowBits: 16, end: 65537 })).toThrow(wrong);
  expect(() => new EbpfMemory({ memory, windowBits: 16, start: 8192, end: 4096 })).toThrow(wrong);
  expect(() => EbpfMemory.standalone({ windowBits: 32 })).toThrow(wrong);
  expect(memory.buffer.byteLength).toBe(2 ** 16 + WINDOW_GUARD);
});

test('an allocation that does not fit says what it was for and what is left', () => {
  const memory = EbpfMemory.standalone({ windowBits: 16 });
  expect(() => memory.allocate(65536, 'map flows')).toThrow(
    expect.objectContaining({ code: 'BPF_MEMORY_LIMIT', message: expect.stringMatching(/map flows.*65536.*61440/) }),
  );
});

test('an attached view sees the bytes and allots none', () => {
  const owner = EbpfMemory.standalone({ windowBits: 16, shared: true });
  const address = owner.allocate(8, 'a test');
  const view = EbpfMemory.attach({ memory: owner.memory, windowBits: 16 });
  view.bytes[address] = 9;
  expect(owner.bytes[address]).toBe(9);
  expect(() => view.allocate(1, 'a test')).toThrow(expect.objectContaining({ code: 'BPF_MEMORY_LIMIT' }));
});
