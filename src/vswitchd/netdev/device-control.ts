import { formatMac } from '../../bytes/index.ts';
import { addressOf, close, errno, errorText, ifNameToIndex, ioctl, socket } from '../../datapath/ports/index.ts';
import { VswitchdError } from '../errors.ts';

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000;

/** Requests of netdevice(7). */
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFMTU = 0x8921;
const SIOCSIFMTU = 0x8922;
const SIOCSIFHWADDR = 0x8924;
const SIOCGIFHWADDR = 0x8927;
const SIOCETHTOOL = 0x8946;

const IFF_UP = 1;
const IFF_RUNNING = 0x40;
const ARPHRD_ETHER = 1;

/** struct ifreq: the name in 16 bytes, then a union. */
const IFREQ_BYTES = 40;
const UNION = 16;
const MAX_NAME_BYTES = 15;

/** Commands of SIOCETHTOOL with their structures (linux/ethtool.h). */
const ETHTOOL_GSET = { command: 1, bytes: 44, speedLow: 12, duplex: 14, speedHigh: 28 } as const;
const ETHTOOL_GDRVINFO = { command: 3, bytes: 196, driver: 4, version: 36, firmware: 68, textBytes: 32 } as const;

/** By DUPLEX_HALF and DUPLEX_FULL; anything else is unknown. */
const DUPLEX: readonly ('half' | 'full' | undefined)[] = ['half', 'full'];

export interface LinkSettings {
  /** bit/s; undefined when the device does not know. */
  readonly speed: number | undefined;
  readonly duplex: 'half' | 'full' | undefined;
}

/** Looks at network devices by name and changes them, through one socket for all. */
export class DeviceControl {
  readonly #fd: number;
  readonly #request = new Uint8Array(IFREQ_BYTES);
  readonly #view = new DataView(this.#request.buffer);

  constructor() {
    this.#fd = socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0) as number;
    if (this.#fd < 0)
      throw new VswitchdError('VSWITCHD_DEVICE', `no socket for device requests: ${errorText(errno())}`);
  }

  close(): void {
    close(this.#fd);
  }

  /** 0 when there is no such device. */
  index(name: string): number {
    return ifNameToIndex(name) as number;
  }

  /** Is the device switched on, and does it have a carrier? */
  flags(name: string): { readonly isUp: boolean; readonly isRunning: boolean } | undefined {
    if (!this.#ask(SIOCGIFFLAGS, name)) return undefined;
    const flags = this.#view.getUint16(UNION, true);
    return { isUp: (flags & IFF_UP) !== 0, isRunning: (flags & IFF_RUNNING) !== 0 };
  }

  mtu(name: string): number | undefined {
    return this.#ask(SIOCGIFMTU, name) ? this.#view.getInt32(UNION, true) : undefined;
  }

  mac(name: string): Uint8Array | undefined {
    return this.#ask(SIOCGIFHWADDR, name) ? this.#request.slice(UNION + 2, UNION + 8) : undefined;
  }

  /** @throws VswitchdError VSWITCHD_DEVICE */
  setMtu(name: string, mtu: number): void {
    this.#begin(name);
    this.#view.setInt32(UNION, mtu, true);
    this.#change(SIOCSIFMTU, `cannot set the MTU of ${name} to ${mtu}`);
  }

  /** @throws VswitchdError VSWITCHD_DEVICE */
  setMac(name: string, mac: Uint8Array): void {
    this.#begin(name);
    this.#view.setUint16(UNION, ARPHRD_ETHER, true);
    this.#request.set(mac, UNION + 2);
    this.#change(SIOCSIFHWADDR, `cannot set the address of ${name} to ${formatMac(mac)}`);
  }

  linkSettings(name: string): LinkSettings {
    const { command, bytes, speedLow, speedHigh, duplex } = ETHTOOL_GSET;
    const answer = this.#ethtool(name, command, bytes);
    if (answer === undefined) return { speed: undefined, duplex: undefined };
    const mbps = answer.getUint16(speedLow, true) + 0x1_0000 * answer.getUint16(speedHigh, true);
    return {
      speed: mbps === 0 || mbps === 0xffff || mbps === 0xffff_ffff ? undefined : mbps * 1_000_000,
      duplex: DUPLEX[answer.getUint8(duplex)],
    };
  }

  /** The three texts that ethtool -i shows. */
  driver(name: string): { readonly name: string; readonly version: string; readonly firmware: string } | undefined {
    const { command, bytes, driver, version, firmware, textBytes } = ETHTOOL_GDRVINFO;
    const answer = this.#ethtool(name, command, bytes);
    if (answer === undefined) return undefined;
    const text = (offset: number): string =>
      Buffer.from(answer.buffer, offset, textBytes).toString('latin1').replace(/\0.*$/s, '');
    return { name: text(driver), version: text(version), firmware: text(firmware) };
  }

  #ethtool(name: string, command: number, bytes: number): DataView | undefined {
    const buffer = new Uint8Array(bytes);
    const answer = new DataView(buffer.buffer);
    answer.setUint32(0, command, true);
    this.#begin(name);
    this.#view.setBigUint64(UNION, addressOf(buffer), true);
    return ioctl(this.#fd, SIOCETHTOOL, this.#request) === 0 ? answer : undefined;
  }

  #begin(name: string): void {
    this.#request.fill(0);
    this.#request.set(new TextEncoder().encode(name).subarray(0, MAX_NAME_BYTES));
  }

  #ask(request: number, name: string): boolean {
    this.#begin(name);
    return ioctl(this.#fd, request, this.#request) === 0;
  }

  #change(request: number, what: string): void {
    if (ioctl(this.#fd, request, this.#request) !== 0)
      throw new VswitchdError('VSWITCHD_DEVICE', `${what}: ${errorText(errno())}`);
  }
}
