import {
  BATCH_PACKETS,
  type DriverCounters,
  type LargeBuffers,
  PACKET_START,
  type PacketBatch,
  type PortDriver,
} from './driver.ts';
import { HostShield } from './host-shield.ts';
import { addressOf, close, ERRNO, errno, ifNameToIndex, recvmmsg, sendmmsg } from './linux.ts';
import { MessageBlock } from './message-block.ts';
import { CONTROL_BYTES, openPacketSocket, type VlanTagBeside, vlanTagBeside } from './packet-socket.ts';
import { placeReceived, SPILL_BYTES } from './received.ts';
import { shiftChecksumStart, VIRTIO_HEADER_BYTES } from './virtio-header.ts';

const MSG_DONTWAIT = 0x40;
const VLAN_TAG_BYTES = 4;
const MAC_ADDRESSES_BYTES = 12;

/**
 * A network device through an AF_PACKET socket; checksums and segments that the kernel left to do pass through. While it is a
 * port, the host itself gets nothing from it.
 */
export class AfPacketDriver implements PortDriver {
  readonly name: string;
  readonly descriptors: readonly number[];
  readonly alwaysReady = false;
  readonly counters: DriverCounters = { rxErrors: 0, rxDropped: 0, txErrors: 0 };
  readonly #fd: number;
  readonly #shield: HostShield;
  readonly #received = new MessageBlock(BATCH_PACKETS, 3);
  readonly #sent = new MessageBlock(BATCH_PACKETS, 2);
  readonly #controls: DataView[] = [];
  readonly #spills: Uint8Array[] = [];

  /** @throws DatapathError DATAPATH_CANNOT_OPEN */
  constructor(name: string) {
    this.name = name;
    this.#fd = openPacketSocket(name);
    this.descriptors = [this.#fd];
    this.#shield = new HostShield(ifNameToIndex(name) as number);
    for (let i = 0; i < BATCH_PACKETS; i++) {
      const control = new Uint8Array(CONTROL_BYTES);
      const spill = new Uint8Array(SPILL_BYTES);
      this.#controls.push(new DataView(control.buffer));
      this.#spills.push(spill);
      this.#received.setControl(i, Number(addressOf(control)), CONTROL_BYTES);
      this.#received.setPiece(i, 2, Number(addressOf(spill)), SPILL_BYTES);
    }
  }

  receive(batch: PacketBatch, limit: number, large: LargeBuffers): number {
    const block = this.#received;
    const memory = Number(batch.address);
    for (let i = 0; i < limit; i++) {
      const buffer = memory + batch.buffers[i];
      block.setPiece(i, 0, buffer, VIRTIO_HEADER_BYTES);
      block.setPiece(i, 1, buffer + PACKET_START, batch.capacities[i] - PACKET_START);
      block.setControlLength(i, CONTROL_BYTES);
    }
    const count = recvmmsg(this.#fd, block.addressOf(0), limit, MSG_DONTWAIT, null);
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const length = block.length(i) - VIRTIO_HEADER_BYTES;
      if (!placeReceived(batch, i, kept, length, this.#spills[i], large, this.counters)) continue;
      const tag = vlanTagBeside(this.#controls[i], block.controlLength(i));
      if (tag !== undefined) putBackTag(batch, kept, tag);
      kept++;
    }
    return kept;
  }

  transmit(batch: PacketBatch, count: number): number {
    const memory = Number(batch.address);
    for (let i = 0; i < count; i++) {
      this.#sent.setPiece(i, 0, memory + batch.buffers[i], VIRTIO_HEADER_BYTES);
      this.#sent.setPiece(i, 1, memory + batch.starts[i], batch.lengths[i]);
    }
    let sent = 0;
    for (let next = 0; next < count; ) {
      const result = sendmmsg(this.#fd, this.#sent.addressOf(next), count - next, MSG_DONTWAIT) as number;
      if (result > 0) {
        next += result;
        sent += result;
        continue;
      }
      const code = errno();
      if (code === ERRNO.EINTR) continue;
      if (code === ERRNO.EAGAIN || code === ERRNO.ENOBUFS || code === ERRNO.ENETDOWN || code === ERRNO.ENXIO) break;
      // The device does not take this one; the next may be shorter.
      this.counters.txErrors++;
      next++;
    }
    return sent;
  }

  close(): void {
    this.#shield.close();
    close(this.#fd);
  }
}

/** Puts a VLAN tag behind the addresses, into the room before the packet. */
function putBackTag({ bytes, buffers, starts, lengths }: PacketBatch, i: number, { tpid, tci }: VlanTagBeside): void {
  const start = starts[i] - VLAN_TAG_BYTES;
  bytes.copyWithin(start, starts[i], starts[i] + MAC_ADDRESSES_BYTES);
  const at = start + MAC_ADDRESSES_BYTES;
  bytes[at] = tpid >> 8;
  bytes[at + 1] = tpid;
  bytes[at + 2] = tci >> 8;
  bytes[at + 3] = tci;
  starts[i] = start;
  lengths[i] += VLAN_TAG_BYTES;
  shiftChecksumStart(bytes, buffers[i], VLAN_TAG_BYTES);
}
