import { close, ERRNO, ioctl, open, openError } from './linux.ts';

const O_RDWR_NONBLOCK_CLOEXEC = 0o2 | 0o4000 | 0o2000000;
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const IFF_TAP = 2;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const TUN_F_CSUM = 1;
const TUN_F_TSO4 = 2;
const TUN_F_TSO6 = 4;
const MAX_NAME_BYTES = 15;

/**
 * Makes a tap device whose packets carry the virtio header (Documentation/networking/tuntap of Linux). It is gone when the
 * descriptor is closed.
 *
 * @param segments whether the kernel may hand over large segments uncut
 * @returns its descriptor
 * @throws DatapathError DATAPATH_CANNOT_OPEN
 */
export function openTap(name: string, { segments }: { readonly segments: boolean }): number {
  const encoded = new TextEncoder().encode(name);
  if (encoded.length === 0 || encoded.length > MAX_NAME_BYTES) throw openError(name, ERRNO.EINVAL);
  const fd = open('/dev/net/tun', O_RDWR_NONBLOCK_CLOEXEC) as number;
  if (fd < 0) throw openError(name);
  const request = new Uint8Array(40); // struct ifreq
  request.set(encoded);
  new DataView(request.buffer).setUint16(16, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, true);
  if (ioctl(fd, TUNSETIFF, request) !== 0) {
    const error = openError(name);
    close(fd);
    throw error;
  }
  // A kernel that does not know how to leave work to us gives complete packets.
  ioctl(fd, TUNSETOFFLOAD, segments ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : TUN_F_CSUM);
  return fd;
}
