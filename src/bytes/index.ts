export { internetChecksum, partialSum } from './checksum.ts';
export { type ErrorEntry, type ErrorTable, OkoError } from './error.ts';
export { parseHex, toHex } from './hex.ts';
export { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from './ip.ts';
export { formatMac, parseMac } from './mac.ts';
export { ByteReader } from './reader.ts';
export { ByteWriter } from './writer.ts';
