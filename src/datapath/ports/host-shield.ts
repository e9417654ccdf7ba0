import { ATTACH_TYPE, attachToDevice, loadKernelProgram, PROGRAM_TYPE } from './bpf-syscall.ts';
import { close } from './linux.ts';

/**
 * Keeps the host from handling, too, what comes in by a device that is a port: an AF_PACKET socket gets a copy of each packet
 * before this program, on the device's TCX ingress hook, drops it (Linux 6.6).
 */
export class HostShield {
  readonly #link: number;

  /** Does nothing where the kernel has no such hook: then the host sees the packets as well. */
  constructor(index: number) {
    // return TCX_DROP
    const program = loadKernelProgram(PROGRAM_TYPE.schedulerClassifier, ATTACH_TYPE.tcxIngress, [
      [0xb7, 0x00, 0, 2],
      [0x95, 0x00, 0, 0],
    ]);
    this.#link = program < 0 ? -1 : attachToDevice(program, index, ATTACH_TYPE.tcxIngress);
    if (program >= 0) close(program);
  }

  get isUp(): boolean {
    return this.#link >= 0;
  }

  close(): void {
    if (this.#link >= 0) close(this.#link);
  }
}
