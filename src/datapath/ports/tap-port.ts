import type { DevicePort } from './device-port.ts';
import { close, ioctl, open, openError, read, write } from './linux.ts';
import { finishPacket, VIRTIO_HEADER_BYTES } from './virtio-header.ts';

const O_RDWR_NONBLOCK_CLOEXEC = 0o2 | 0o4000 | 0o2000000;
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const IFF_TAP = 2;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const TUN_F_CSUM = 1;
const MAX_NAME_BYTES = 15;
const BUFFER_BYTES = VIRTIO_HEADER_BYTES + 65_536 + 64;

/** A tap device, made when the port is opened and gone with it: the host's own end of a bridge. */
export class TapPort implements DevicePort {
  readonly name: string;
  readonly fd: number;
  readonly #receiveBuffer = new Uint8Array(BUFFER_BYTES);
  readonly #sendBuffer = new Uint8Array(BUFFER_BYTES);

  constructor(name: string) {
    this.name = name;
    const encoded = new TextEncoder().encode(name);
    if (encoded.length > MAX_NAME_BYTES) throw openError(name, 22);
    this.fd = open('/dev/net/tun', O_RDWR_NONBLOCK_CLOEXEC);
    if (this.fd < 0) throw openError(name);
    const request = new Uint8Array(40); // struct ifreq
    request.set(encoded);
    new DataView(request.buffer).setUint16(16, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, true);
    if (ioctl(this.fd, TUNSETIFF, request) !== 0) {
      const error = openError(name);
      close(this.fd);
      throw error;
    }
    // The kernel may leave checksums to us; an older one that does not know how gives complete packets.
    ioctl(this.fd, TUNSETOFFLOAD, TUN_F_CSUM);
  }

  receive(limit: number, deliver: (packet: Uint8Array) => void): boolean {
    let received = 0;
    while (received < limit) {
      const length = Number(read(this.fd, this.#receiveBuffer, BUFFER_BYTES));
      if (length < VIRTIO_HEADER_BYTES) break;
      received++;
      const header = this.#receiveBuffer.subarray(0, VIRTIO_HEADER_BYTES);
      for (const packet of finishPacket(header, this.#receiveBuffer.subarray(VIRTIO_HEADER_BYTES, length)))
        deliver(packet);
    }
    return received > 0;
  }

  send(packet: Uint8Array): boolean {
    if (packet.length > BUFFER_BYTES - VIRTIO_HEADER_BYTES) return false;
    this.#sendBuffer.set(packet, VIRTIO_HEADER_BYTES);
    return write(this.fd, this.#sendBuffer, VIRTIO_HEADER_BYTES + packet.length) >= 0;
  }

  close(): void {
    close(this.fd);
  }
}
