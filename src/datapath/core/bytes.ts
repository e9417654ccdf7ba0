// Numbers in network byte order, and short copies.

// @ts-ignore: a decorator of the core's compiler
@inline
export function be16(at: usize): u32 {
  return <u32>bswap<u16>(load<u16>(at));
}

// @ts-ignore: a decorator of the core's compiler
@inline
export function putBe16(at: usize, value: u32): void {
  store<u16>(at, bswap<u16>(<u16>value));
}

// @ts-ignore: a decorator of the core's compiler
@inline
export function putBe32(at: usize, value: u32): void {
  store<u32>(at, bswap<u32>(value));
}

// @ts-ignore: a decorator of the core's compiler
@inline
export function copy6(to: usize, from: usize): void {
  const low = load<u32>(from);
  const high = load<u16>(from + 4);
  store<u32>(to, low);
  store<u16>(to + 4, high);
}

// @ts-ignore: a decorator of the core's compiler
@inline
export function copy16(to: usize, from: usize): void {
  const low = load<u64>(from);
  const high = load<u64>(from + 8);
  store<u64>(to, low);
  store<u64>(to + 8, high);
}

export function differ(a: usize, b: usize, bytes: usize): bool {
  for (let i: usize = 0; i < bytes; i++) if (load<u8>(a + i) !== load<u8>(b + i)) return true;
  return false;
}
