import type { DevicePort } from './device-port.ts';
import {
  addressOf,
  bind,
  close,
  ERRNO,
  errno,
  ifNameToIndex,
  openError,
  recvmmsg,
  sendmsg,
  setsockopt,
  socket,
} from './linux.ts';
import { finishPacket, VIRTIO_HEADER_BYTES } from './virtio-header.ts';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const ETH_P_ALL_BE = 0x0300;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_AUXDATA = 8;
const PACKET_VNET_HDR = 15;
const PACKET_IGNORE_OUTGOING = 23;
const PACKET_MR_PROMISC = 1;
const MSG_DONTWAIT = 0x40;

/** struct tpacket_auxdata in a control message: 16 bytes of cmsghdr, then the fields. */
const AUXDATA = { status: 16, vlanTci: 16 + 16, vlanTpid: 16 + 18 } as const;
const TP_STATUS_VLAN_VALID = 0x10;
const TP_STATUS_VLAN_TPID_VALID = 0x40;

const BATCH = 32;
/** Largest packet: 64 KiB of IP and the link header, with room before it for a VLAN tag that the kernel took out. */
const VLAN_TAG_BYTES = 4;
const BUFFER_BYTES = 65_536 + 64;
const CONTROL_BYTES = 64;
/** struct mmsghdr on 64-bit Linux, with the offsets of struct msghdr in it. */
const MSG = { bytes: 64, iov: 16, iovLength: 24, control: 32, controlLength: 40, flags: 48, length: 56 } as const;

/**
 * A network device through an AF_PACKET socket, taken promiscuously. Packets that the kernel left to a card (segmentation,
 * checksums) are finished here; VLAN tags that it took out are put back.
 */
export class AfPacketPort implements DevicePort {
  readonly name: string;
  readonly fd: number;
  readonly #buffers: Uint8Array[] = [];
  readonly #controls: Uint8Array[] = [];
  readonly #virtioHeaders: Uint8Array[] = [];
  readonly #messages = new Uint8Array(BATCH * MSG.bytes);
  readonly #vectors = new Uint8Array(BATCH * 32);
  readonly #sendMessage = new Uint8Array(MSG.bytes);
  readonly #sendVectors = new Uint8Array(32);
  readonly #sendHeader = new Uint8Array(VIRTIO_HEADER_BYTES);
  readonly #sendBuffer = new Uint8Array(BUFFER_BYTES);

  constructor(name: string) {
    this.name = name;
    const index = ifNameToIndex(name);
    if (index === 0) throw openError(name);
    this.fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw openError(name);
    try {
      this.#option(PACKET_VNET_HDR, 1);
      this.#option(PACKET_AUXDATA, 1);
      this.#option(PACKET_IGNORE_OUTGOING, 1);
      this.#promiscuous(index);
      this.#bind(index);
    } catch (error) {
      close(this.fd);
      throw error;
    }
    this.#prepareReceive();
    this.#prepareSend();
  }

  #option(option: number, value: number): void {
    if (setsockopt(this.fd, SOL_PACKET, option, new Uint8Array(new Int32Array([value]).buffer), 4) !== 0)
      throw openError(this.name);
  }

  #promiscuous(index: number): void {
    const membership = new DataView(new ArrayBuffer(16));
    membership.setInt32(0, index, true);
    membership.setUint16(4, PACKET_MR_PROMISC, true);
    if (setsockopt(this.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, new Uint8Array(membership.buffer), 16) !== 0)
      throw openError(this.name);
  }

  #bind(index: number): void {
    const address = new DataView(new ArrayBuffer(20)); // struct sockaddr_ll
    address.setUint16(0, AF_PACKET, true);
    address.setUint16(2, ETH_P_ALL_BE, true);
    address.setInt32(4, index, true);
    if (bind(this.fd, new Uint8Array(address.buffer), 20) !== 0) throw openError(this.name);
  }

  #prepareReceive(): void {
    const messages = new DataView(this.#messages.buffer);
    const vectors = new DataView(this.#vectors.buffer);
    for (let i = 0; i < BATCH; i++) {
      const buffer = new Uint8Array(BUFFER_BYTES);
      const control = new Uint8Array(CONTROL_BYTES);
      const header = new Uint8Array(VIRTIO_HEADER_BYTES);
      this.#buffers.push(buffer);
      this.#controls.push(control);
      this.#virtioHeaders.push(header);
      vectors.setBigUint64(32 * i, addressOf(header), true);
      vectors.setBigUint64(32 * i + 8, BigInt(VIRTIO_HEADER_BYTES), true);
      vectors.setBigUint64(32 * i + 16, addressOf(buffer) + BigInt(VLAN_TAG_BYTES), true);
      vectors.setBigUint64(32 * i + 24, BigInt(BUFFER_BYTES - VLAN_TAG_BYTES), true);
      messages.setBigUint64(MSG.bytes * i + MSG.iov, addressOf(this.#vectors) + BigInt(32 * i), true);
      messages.setBigUint64(MSG.bytes * i + MSG.iovLength, 2n, true);
      messages.setBigUint64(MSG.bytes * i + MSG.control, addressOf(control), true);
    }
  }

  #prepareSend(): void {
    const vectors = new DataView(this.#sendVectors.buffer);
    vectors.setBigUint64(0, addressOf(this.#sendHeader), true);
    vectors.setBigUint64(8, BigInt(VIRTIO_HEADER_BYTES), true);
    vectors.setBigUint64(16, addressOf(this.#sendBuffer), true);
    const message = new DataView(this.#sendMessage.buffer);
    message.setBigUint64(MSG.iov, addressOf(this.#sendVectors), true);
    message.setBigUint64(MSG.iovLength, 2n, true);
  }

  receive(limit: number, deliver: (packet: Uint8Array) => void): boolean {
    const view = new DataView(this.#messages.buffer);
    for (let i = 0; i < BATCH; i++) view.setBigUint64(MSG.bytes * i + MSG.controlLength, BigInt(CONTROL_BYTES), true);
    const count = recvmmsg(this.fd, addressOf(this.#messages), Math.min(limit, BATCH), MSG_DONTWAIT, null);
    for (let i = 0; i < count; i++) {
      const length = view.getUint32(MSG.bytes * i + MSG.length, true) - VIRTIO_HEADER_BYTES;
      if (length < 14) continue;
      const controlLength = Number(view.getBigUint64(MSG.bytes * i + MSG.controlLength, true));
      const frame = this.#withVlan(i, length, controlLength);
      for (const packet of finishPacket(this.#shiftedHeader(i, frame.length - length), frame)) deliver(packet);
    }
    return count > 0;
  }

  /** The frame of message `i`, with the VLAN tag put back that the kernel handed over beside it. */
  #withVlan(i: number, length: number, controlLength: number): Uint8Array {
    const buffer = this.#buffers[i];
    const plain = buffer.subarray(VLAN_TAG_BYTES, VLAN_TAG_BYTES + length);
    if (controlLength < AUXDATA.vlanTpid + 2) return plain;
    const aux = new DataView(this.#controls[i].buffer);
    const status = aux.getUint32(AUXDATA.status, true);
    if ((status & TP_STATUS_VLAN_VALID) === 0) return plain;
    const tpid = (status & TP_STATUS_VLAN_TPID_VALID) !== 0 ? aux.getUint16(AUXDATA.vlanTpid, true) : 0x8100;
    buffer.copyWithin(0, VLAN_TAG_BYTES, VLAN_TAG_BYTES + 12);
    const tagged = new DataView(buffer.buffer);
    tagged.setUint16(12, tpid);
    tagged.setUint16(14, aux.getUint16(AUXDATA.vlanTci, true));
    return buffer.subarray(0, VLAN_TAG_BYTES + length);
  }

  /** The virtio header with its checksum start counted from the frame as it is now. */
  #shiftedHeader(i: number, shift: number): Uint8Array {
    const header = this.#virtioHeaders[i];
    if (shift > 0) {
      const view = new DataView(header.buffer);
      view.setUint16(6, view.getUint16(6, true) + shift, true);
    }
    return header;
  }

  send(packet: Uint8Array): boolean {
    if (packet.length > BUFFER_BYTES) return false;
    this.#sendBuffer.set(packet);
    new DataView(this.#sendVectors.buffer).setBigUint64(24, BigInt(packet.length), true);
    for (;;) {
      if (sendmsg(this.fd, addressOf(this.#sendMessage), MSG_DONTWAIT) >= 0) return true;
      if (errno() !== ERRNO.EINTR) return false;
    }
  }

  close(): void {
    close(this.fd);
  }
}
