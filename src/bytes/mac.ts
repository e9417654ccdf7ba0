/** `00:1b:21:3c:4d:5e` of six bytes at `offset`. */
export function formatMac(bytes: Uint8Array, offset = 0): string {
  let text = '';
  for (let i = 0; i < 6; i++) text += (i > 0 ? ':' : '') + bytes[offset + i].toString(16).padStart(2, '0');
  return text;
}

/** Six bytes of a MAC address text, `undefined` when it is none. Digits may be single, as `ovs-ofctl` allows. */
export function parseMac(text: string): Uint8Array | undefined {
  const parts = text.split(':');
  if (parts.length !== 6) return undefined;
  const bytes = new Uint8Array(6);
  for (let i = 0; i < 6; i++) {
    if (!/^[0-9a-fA-F]{1,2}$/.test(parts[i])) return undefined;
    bytes[i] = Number.parseInt(parts[i], 16);
  }
  return bytes;
}
