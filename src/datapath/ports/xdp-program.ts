import { addressOf, close, errno, openError, syscall } from './linux.ts';

/** bpf(2) by processor. */
const SYS_BPF: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };
const COMMAND = { mapCreate: 0, mapUpdate: 2, programLoad: 5, linkCreate: 28 } as const;
const BPF_MAP_TYPE_XSKMAP = 17;
const BPF_PROG_TYPE_XDP = 6;
const BPF_XDP = 37;
const XDP_FLAGS_SKB_MODE = 2;
const XDP_FLAGS_DRV_MODE = 4;
const ATTRIBUTE_BYTES = 128;

export type XdpMode = 'native' | 'skb';

/** Sends what comes in by a device to the AF_XDP socket of its receive queue; what has none goes to the host. */
export class XdpProgram {
  readonly mode: XdpMode;
  readonly #map: number;
  readonly #program: number;
  readonly #link: number;

  /**
   * @param queues of the device
   * @param modes to be tried, in this order
   * @throws DatapathError DATAPATH_CANNOT_OPEN
   */
  constructor(device: string, index: number, queues: number, modes: readonly XdpMode[]) {
    const map = bpf(COMMAND.mapCreate, [BPF_MAP_TYPE_XSKMAP, 4, 4, queues]);
    if (map < 0) throw openError(device);
    const program = loadRedirect(map);
    if (program < 0) {
      const error = openError(device);
      close(map);
      throw error;
    }
    this.#map = map;
    this.#program = program;
    for (const mode of modes) {
      const flags = mode === 'native' ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
      const link = bpf(COMMAND.linkCreate, [program, index, BPF_XDP, flags]);
      if (link < 0) continue;
      this.mode = mode;
      this.#link = link;
      return;
    }
    const error = openError(device, errno());
    close(program);
    close(map);
    throw error;
  }

  /** From now on queue `queue` is this socket's. False when the kernel refuses. */
  direct(queue: number, socket: number): boolean {
    const key = new Uint8Array(new Uint32Array([queue]).buffer);
    const value = new Uint8Array(new Uint32Array([socket]).buffer);
    const attributes = new DataView(new ArrayBuffer(ATTRIBUTE_BYTES));
    attributes.setUint32(0, this.#map, true);
    attributes.setBigUint64(8, addressOf(key), true);
    attributes.setBigUint64(16, addressOf(value), true);
    return call(COMMAND.mapUpdate, attributes) === 0;
  }

  /** Takes the program off the device. */
  close(): void {
    close(this.#link);
    close(this.#program);
    close(this.#map);
  }
}

/**
 * The program itself: `r2 = ctx->rx_queue_index; r1 = map; r3 = XDP_PASS; return bpf_redirect_map(r1, r2, r3)`.
 *
 * @returns its descriptor, negative when it could not be loaded
 */
function loadRedirect(map: number): number {
  const code = new DataView(new ArrayBuffer(6 * 8));
  const instructions: readonly (readonly [opcode: number, registers: number, offset: number, imm: number])[] = [
    [0x61, 0x12, 16, 0],
    [0x18, 0x11, 0, map],
    [0x00, 0x00, 0, 0],
    [0xb7, 0x03, 0, 2],
    [0x85, 0x00, 0, 51],
    [0x95, 0x00, 0, 0],
  ];
  for (const [i, [opcode, registers, offset, imm]] of instructions.entries()) {
    code.setUint8(8 * i, opcode);
    code.setUint8(8 * i + 1, registers);
    code.setInt16(8 * i + 2, offset, true);
    code.setInt32(8 * i + 4, imm, true);
  }
  const bytes = new Uint8Array(code.buffer);
  const license = new TextEncoder().encode('Apache-2.0\0');
  const attributes = new DataView(new ArrayBuffer(ATTRIBUTE_BYTES));
  attributes.setUint32(0, BPF_PROG_TYPE_XDP, true);
  attributes.setUint32(4, instructions.length, true);
  attributes.setBigUint64(8, addressOf(bytes), true);
  attributes.setBigUint64(16, addressOf(license), true);
  attributes.setUint32(68, BPF_XDP, true);
  return call(COMMAND.programLoad, attributes);
}

function bpf(command: number, words: readonly number[]): number {
  const attributes = new DataView(new ArrayBuffer(ATTRIBUTE_BYTES));
  for (const [i, word] of words.entries()) attributes.setUint32(4 * i, word, true);
  return call(command, attributes);
}

function call(command: number, attributes: DataView): number {
  const number = SYS_BPF[process.arch];
  if (number === undefined) return -1;
  return Number(syscall(number, command, new Uint8Array(attributes.buffer), ATTRIBUTE_BYTES));
}
