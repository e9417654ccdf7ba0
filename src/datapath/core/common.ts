// The packets that most are: whole, untagged, TCP or UDP over IPv4 without options.

const IPV4: u32 = 0x0008;

/** Is it one of those, with all lengths right? */
export function isCommon(at: usize, bytes: u32): bool {
  if (bytes < 42 || <u32>load<u16>(at, 12) !== IPV4 || load<u8>(at, 14) !== 0x45) return false;
  const total = <u32>bswap<u16>(load<u16>(at, 16));
  // A fragment has bits here, but for "don't".
  if (total > bytes - 14 || (load<u16>(at, 20) & 0xff3f) !== 0) return false;
  const protocol = load<u8>(at, 23);
  if (protocol !== 6) return protocol === 17 && total >= 28;
  const dataOffset = <u32>load<u8>(at, 46) >>> 4;
  return total >= 40 && dataOffset >= 5 && dataOffset * 4 <= total - 20;
}
