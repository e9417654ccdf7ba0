import { parseMac } from '../../bytes/index.ts';
import { DummyPort, type Port } from '../../datapath/index.ts';
import { DriverPort, dpdkSpec, openDriver, type PortSpec } from '../../datapath/ports/index.ts';
import { VswitchdError } from '../errors.ts';
import { DeviceControl } from './device-control.ts';
import { KernelCounters } from './kernel-counters.ts';
import { type Kernel, KernelDevice } from './kernel-device.ts';
import { MemoryDevice } from './memory-device.ts';
import { type NetworkDevice, optionsKey } from './network-device.ts';
import { type Inlet, PatchPanel } from './patch-panel.ts';

/** How far `--enable-dummy` goes: `on` allows the type, `system` puts it in place of `system`, `override` of all devices. */
export type DummyMode = 'off' | 'on' | 'system' | 'override';

export interface DeviceRequest {
  readonly name: string;
  /** Column Interface.type, `internal` for a bridge's own port. */
  readonly type: string;
  readonly options: ReadonlyMap<string, string>;
  /** Column Bridge.datapath_type: the internal ports of a `dummy` bridge are dummies. */
  readonly datapathType: string;
  /** A packet thread is to open what the port stands on, when it is added to its bridge. */
  readonly onThread: boolean;
}

type Opener = (request: DeviceRequest, key: string) => NetworkDevice;

/** Opens the devices that interfaces of the database name. */
export class DeviceFactory {
  readonly #dummyMode: DummyMode;
  readonly #kernel: Kernel = { control: new DeviceControl(), counters: new KernelCounters() };
  readonly #patches = new PatchPanel();
  readonly #openers: ReadonlyMap<string, Opener>;
  #nextDummy = 0;

  constructor(dummyMode: DummyMode) {
    this.#dummyMode = dummyMode;
    const openers: [string, Opener][] = [
      ['afxdp', (request, key) => this.#driver(request, key, xdpSpec(request))],
      [
        'dpdk',
        (request, key) => this.#driver(request, key, dpdkSpec(request.name, request.options.get('dpdk-devargs'))),
      ],
      ['internal', (request, key) => this.#driver(request, key, { kind: 'tap', device: request.name })],
      ['null', (request, key) => this.#driver(request, key, nullSpec(request))],
      ['patch', (request, key) => this.#patch(request, key)],
      ['pcap', (request, key) => this.#driver(request, key, pcapSpec(request))],
      ['system', (request, key) => this.#driver(request, key, { kind: 'system', device: request.name })],
      ['tap', (request, key) => this.#driver(request, key, { kind: 'tap', device: request.name })],
    ];
    if (dummyMode !== 'off') openers.push(['dummy', (request, key) => this.#dummy(request, key)]);
    this.#openers = new Map(openers);
  }

  /** The types that there are, for column Open_vSwitch.iface_types. */
  get types(): readonly string[] {
    return [...this.#openers.keys()].sort();
  }

  /** Which type a request really means. */
  typeOf({ type, datapathType }: DeviceRequest): string {
    const asked = type === '' ? 'system' : type;
    if (asked === 'internal' && datapathType === 'dummy') return 'dummy';
    if (this.#dummyMode === 'override' && asked !== 'patch') return 'dummy';
    return this.#dummyMode === 'system' && asked === 'system' ? 'dummy' : asked;
  }

  /** @throws DatapathError, VswitchdError; the message is what column Interface.error gets */
  open(request: DeviceRequest): NetworkDevice {
    const opener = this.#openers.get(this.typeOf(request));
    if (opener === undefined)
      throw new VswitchdError(
        'VSWITCHD_PORT_TYPE',
        `could not open network device ${request.name} (type "${request.type}" is not supported)`,
      );
    return opener(request, optionsKey(request.options));
  }

  /** The device is the port of a bridge now: packets that its peer sends go in there. */
  connect(device: NetworkDevice, inlet: Inlet): void {
    if (device.type === 'patch') this.#patches.connect(device.port.name, inlet);
  }

  close(): void {
    this.#kernel.control.close();
  }

  #driver(request: DeviceRequest, key: string, spec: PortSpec): NetworkDevice {
    const { name, onThread } = request;
    const receiver = onThread ? undefined : new DriverPort(openDriver(name, spec), name);
    const port: Port = receiver ?? { name, spec, send: () => false };
    const type = this.typeOf(request);
    if ('device' in spec)
      return new KernelDevice(port, receiver, this.#kernel, {
        type,
        device: spec.device,
        isOtherEnd: spec.kind === 'tap',
        optionsKey: key,
      });
    return new MemoryDevice(type, port, {
      optionsKey: key,
      ...(receiver === undefined ? {} : { receiver, onClose: () => receiver.close() }),
    });
  }

  #patch({ name, options }: DeviceRequest, key: string): NetworkDevice {
    const peer = options.get('peer');
    if (peer === undefined || peer === '' || peer === name) {
      const why = peer === undefined || peer === '' ? 'options:peer is needed' : 'options:peer is the port itself';
      throw new VswitchdError('VSWITCHD_PORT_TYPE', `could not open network device ${name} (${why})`);
    }
    return new MemoryDevice('patch', this.#patches.add(name, peer), {
      optionsKey: key,
      status: { peer },
      onClose: () => this.#patches.remove(name),
    });
  }

  #dummy({ name, options }: DeviceRequest, key: string): NetworkDevice {
    const number = this.#nextDummy++;
    const mac = parseMac(`aa:55:aa:55:${(number >> 8).toString(16)}:${(number & 0xff).toString(16)}`);
    const both = options.get('pcap');
    const rx = both ?? options.get('rx_pcap');
    const tx = both ?? options.get('tx_pcap');
    const port = new DummyPort(name, { ...(rx === undefined ? {} : { rx }), ...(tx === undefined ? {} : { tx }) });
    return new MemoryDevice('dummy', port, {
      optionsKey: key,
      ...(mac === undefined ? {} : { mac }),
      onClose: () => port.close(),
    });
  }
}

function xdpSpec({ name, options }: DeviceRequest): PortSpec {
  const mode = options.get('xdp-mode') ?? 'best-effort';
  switch (mode) {
    case 'best-effort':
      return { kind: 'afxdp', device: name };
    case 'native':
      return { kind: 'afxdp', device: name, mode: 'native' };
    case 'generic':
      return { kind: 'afxdp', device: name, mode: 'skb' };
    default:
      throw new VswitchdError(
        'VSWITCHD_PORT_TYPE',
        `could not open network device ${name} (options:xdp-mode=${mode}: known are best-effort, native and generic)`,
      );
  }
}

function nullSpec({ name, options }: DeviceRequest): PortSpec {
  const size = options.get('size') ?? '0';
  if (!/^\d{1,4}$/.test(size))
    throw new VswitchdError('VSWITCHD_PORT_TYPE', `could not open network device ${name} (options:size=${size})`);
  return { kind: 'null', size: Number(size) };
}

function pcapSpec({ name, options }: DeviceRequest): PortSpec {
  const rx = options.get('rx_pcap');
  const tx = options.get('tx_pcap');
  if (rx === undefined && tx === undefined)
    throw new VswitchdError(
      'VSWITCHD_PORT_TYPE',
      `could not open network device ${name} (options:rx_pcap or options:tx_pcap is needed)`,
    );
  return {
    kind: 'pcap',
    infinite: options.get('infinite_rx') === '1' || options.get('infinite_rx') === 'true',
    ...(rx === undefined ? {} : { rx }),
    ...(tx === undefined ? {} : { tx }),
  };
}
