import { ATTACH_TYPE, attachToDevice, createMap, loadKernelProgram, PROGRAM_TYPE, updateMap } from './bpf-syscall.ts';
import { close, errno, openError } from './linux.ts';

const BPF_MAP_TYPE_XSKMAP = 17;
const FLAGS = { native: 4, skb: 2 } as const;

/** Where the program runs: in the device's driver, or in the kernel's generic code behind it. */
export type XdpMode = keyof typeof FLAGS;

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
    this.#map = createMap(BPF_MAP_TYPE_XSKMAP, 4, 4, queues);
    if (this.#map < 0) throw openError(device);
    // r2 = ctx->rx_queue_index; r1 = map; r3 = XDP_PASS; return bpf_redirect_map(r1, r2, r3)
    this.#program = loadKernelProgram(PROGRAM_TYPE.xdp, ATTACH_TYPE.xdp, [
      [0x61, 0x12, 16, 0],
      [0x18, 0x11, 0, this.#map],
      [0x00, 0x00, 0, 0],
      [0xb7, 0x03, 0, 2],
      [0x85, 0x00, 0, 51],
      [0x95, 0x00, 0, 0],
    ]);
    if (this.#program < 0) {
      const error = openError(device);
      close(this.#map);
      throw error;
    }
    for (const mode of modes) {
      const link = attachToDevice(this.#program, index, ATTACH_TYPE.xdp, FLAGS[mode]);
      if (link < 0) continue;
      this.mode = mode;
      this.#link = link;
      return;
    }
    const error = openError(device, errno());
    close(this.#program);
    close(this.#map);
    throw error;
  }

  /** From now on queue `queue` is this socket's. False when the kernel refuses. */
  direct(queue: number, socket: number): boolean {
    return updateMap(this.#map, queue, socket);
  }

  /** Takes the program off the device. */
  close(): void {
    close(this.#link);
    close(this.#program);
    close(this.#map);
  }
}
