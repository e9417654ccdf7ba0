import { bind, close, ifNameToIndex, openError, setsockopt, socket } from './linux.ts';

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

/**
 * An AF_PACKET socket (packet(7)) that receives all that comes in by a device, taken promiscuously, with the virtio header in
 * front of each packet and the VLAN tags that the kernel took out beside it.
 *
 * @returns its descriptor
 * @throws DatapathError DATAPATH_CANNOT_OPEN
 */
export function openPacketSocket(device: string): number {
  const index = ifNameToIndex(device);
  if (index === 0) throw openError(device);
  const fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw openError(device);
  const membership = new DataView(new ArrayBuffer(16)); // struct packet_mreq
  membership.setInt32(0, index, true);
  membership.setUint16(4, PACKET_MR_PROMISC, true);
  const address = new DataView(new ArrayBuffer(20)); // struct sockaddr_ll
  address.setUint16(0, AF_PACKET, true);
  address.setUint16(2, ETH_P_ALL_BE, true);
  address.setInt32(4, index, true);
  const one = new Uint8Array(new Int32Array([1]).buffer);
  const isOpen =
    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, one, 4) === 0 &&
    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, one, 4) === 0 &&
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, one, 4) === 0 &&
    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, new Uint8Array(membership.buffer), 16) === 0 &&
    bind(fd, new Uint8Array(address.buffer), 20) === 0;
  if (isOpen) return fd;
  const error = openError(device);
  close(fd);
  throw error;
}

/** struct tpacket_auxdata in a control message: 16 bytes of cmsghdr, then the fields. */
const AUXDATA = { status: 16, vlanTci: 16 + 16, vlanTpid: 16 + 18 } as const;
const TP_STATUS_VLAN_VALID = 0x10;
const TP_STATUS_VLAN_TPID_VALID = 0x40;

/** Bytes that the control data of one packet can take. */
export const CONTROL_BYTES = 64;

export interface VlanTagBeside {
  readonly tpid: number;
  readonly tci: number;
}

/** The VLAN tag that the kernel handed over beside a packet; undefined when there is none. */
export function vlanTagBeside(control: DataView, length: number): VlanTagBeside | undefined {
  if (length < AUXDATA.vlanTpid + 2) return undefined;
  const status = control.getUint32(AUXDATA.status, true);
  if ((status & TP_STATUS_VLAN_VALID) === 0) return undefined;
  const tpid = (status & TP_STATUS_VLAN_TPID_VALID) !== 0 ? control.getUint16(AUXDATA.vlanTpid, true) : 0x8100;
  return { tpid, tci: control.getUint16(AUXDATA.vlanTci, true) };
}
