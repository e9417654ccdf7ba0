import { formatMac } from '../../bytes/index.ts';
import { addressOf, bind, close, ERRNO, errno, openError, recv, send, socket } from './linux.ts';

const AF_NETLINK = 16;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0x800 | 0x80000;
const NETLINK_ROUTE = 0;
const RTMGRP_LINK = 1;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const NLM_F_REQUEST_DUMP = 0x1 | 0x300;

/** struct nlmsghdr, struct ifinfomsg behind it, and struct rtattr (rtnetlink(7)). */
const HEADER = { length: 0, type: 4, flags: 6, sequence: 8, bytes: 16 } as const;
const INFO = { index: HEADER.bytes + 4, flags: HEADER.bytes + 8, bytes: 16 } as const;
const ATTRIBUTE_BYTES = 4;
const IFLA = { address: 1, name: 3, mtu: 4 } as const;
const IFF_UP = 1;
const IFF_RUNNING = 0x40;

const BUFFER_BYTES = 65_536;

/** A network device as the kernel last told of it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** Switched on. */
  readonly isUp: boolean;
  /** Has a carrier. */
  readonly isRunning: boolean;
  /** Bytes; 0 when the kernel did not say. */
  readonly mtu: number;
  /** `00:11:22:33:44:55`; undefined for a device without such an address. */
  readonly mac: string | undefined;
}

export type LinkEvent =
  | { readonly kind: 'changed'; readonly link: Link }
  | { readonly kind: 'removed'; readonly link: Link }
  /** Events came faster than they were read, and some are lost: what is known must be asked for again. */
  | { readonly kind: 'lost' };

/**
 * Follows the network devices of the process' namespace by rtnetlink: those that come, change and go. What was there before
 * is told after `refresh`.
 */
export class LinkMonitor {
  /** poll(2) finds it readable when there is something to `receive`. */
  readonly fd: number;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #sequence = 0;

  /** @throws DatapathError DATAPATH_CANNOT_OPEN */
  constructor() {
    this.fd = socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, NETLINK_ROUTE);
    if (this.fd < 0) throw openError('netlink');
    const address = new DataView(new ArrayBuffer(12)); // struct sockaddr_nl
    address.setUint16(0, AF_NETLINK, true);
    address.setUint32(8, RTMGRP_LINK, true);
    if (bind(this.fd, new Uint8Array(address.buffer), 12) !== 0) {
      const error = openError('netlink');
      close(this.fd);
      throw error;
    }
  }

  /** Asks the kernel to tell of every device there is, as `changed`. */
  refresh(): void {
    const request = new DataView(new ArrayBuffer(HEADER.bytes + INFO.bytes));
    request.setUint32(HEADER.length, request.byteLength, true);
    request.setUint16(HEADER.type, RTM_GETLINK, true);
    request.setUint16(HEADER.flags, NLM_F_REQUEST_DUMP, true);
    request.setUint32(HEADER.sequence, ++this.#sequence, true);
    send(this.fd, addressOf(new Uint8Array(request.buffer)), request.byteLength, MSG_DONTWAIT);
  }

  /** Tells what has come since, in order; never waits. */
  receive(deliver: (event: LinkEvent) => void): void {
    for (;;) {
      const length = Number(recv(this.fd, this.#buffer, BUFFER_BYTES, MSG_DONTWAIT | MSG_TRUNC));
      if (length < 0) {
        if (errno() === ERRNO.EINTR) continue;
        if (errno() !== ERRNO.ENOBUFS) return;
        deliver({ kind: 'lost' });
        continue;
      }
      if (length > BUFFER_BYTES) deliver({ kind: 'lost' });
      else for (const event of linkEvents(this.#buffer.subarray(0, length))) deliver(event);
    }
  }

  close(): void {
    close(this.fd);
  }
}

/** The link messages of one netlink datagram; others, and what makes no sense, are passed over. */
export function linkEvents(datagram: Uint8Array): LinkEvent[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const events: LinkEvent[] = [];
  for (let at = 0; at + HEADER.bytes <= view.byteLength; ) {
    const length = view.getUint32(at + HEADER.length, true);
    if (length < HEADER.bytes || at + length > view.byteLength) break;
    const type = view.getUint16(at + HEADER.type, true);
    if ((type === RTM_NEWLINK || type === RTM_DELLINK) && length >= HEADER.bytes + INFO.bytes) {
      const link = readLink(datagram.subarray(at, at + length));
      if (link !== undefined) events.push({ kind: type === RTM_NEWLINK ? 'changed' : 'removed', link });
    }
    at += align(length);
  }
  return events;
}

function readLink(message: Uint8Array): Link | undefined {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const flags = view.getUint32(INFO.flags, true);
  let name: string | undefined;
  let mac: string | undefined;
  let mtu = 0;
  for (let at = HEADER.bytes + INFO.bytes; at + ATTRIBUTE_BYTES <= view.byteLength; ) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_BYTES || at + length > view.byteLength) break;
    const value = message.subarray(at + ATTRIBUTE_BYTES, at + length);
    const type = view.getUint16(at + 2, true);
    if (type === IFLA.name) name = new TextDecoder().decode(value.subarray(0, value.indexOf(0) >>> 0));
    else if (type === IFLA.address && value.length === 6) mac = formatMac(value);
    else if (type === IFLA.mtu && value.length === 4) mtu = view.getUint32(at + ATTRIBUTE_BYTES, true);
    at += align(length);
  }
  if (name === undefined || name === '') return undefined;
  return {
    index: view.getInt32(INFO.index, true),
    name,
    isUp: (flags & IFF_UP) !== 0,
    isRunning: (flags & IFF_RUNNING) !== 0,
    mtu,
    mac,
  };
}

/** Messages and attributes start at multiples of 4. */
function align(length: number): number {
  return (length + 3) & ~3;
}
