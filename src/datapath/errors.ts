import { type ErrorTable, OkoError } from '../bytes/index.ts';

export const DATAPATH_ERRORS = {
  DATAPATH_BAD_DEVARGS: {
    meaning: 'The `options:dpdk-devargs` of a port name no device that Oko drives, or an option that it does not have.',
    remedy:
      'Use net_af_xdp0,iface=DEVICE, net_af_packet0,iface=DEVICE, net_tap0,iface=NAME, net_pcap0,rx_pcap=FILE,tx_pcap=FILE or net_null0.',
  },
  DATAPATH_BAD_PORT_NUMBER: {
    meaning: 'A port number lies outside the range that OpenFlow leaves to real ports.',
    remedy: 'Choose a number from 1 to 65279.',
  },
  DATAPATH_CANNOT_OPEN: {
    meaning: 'A network device could not be opened for a port.',
    remedy: 'Check that the device exists and that the process may open it (root, or CAP_NET_RAW and CAP_NET_ADMIN).',
  },
  DATAPATH_NO_CORE: {
    meaning: 'The compiled core of the fast path is not among the installed files.',
    remedy: 'Build it with `npm run build`, or install the package again.',
  },
  DATAPATH_NO_MEMORY: {
    meaning: 'The memory that packets, flows and maps share cannot be had as it is configured.',
    remedy: 'Configure fewer buffers, flows or bytes of maps, or raise the limit on the address space (ulimit -v).',
  },
  DATAPATH_PORT_EXISTS: {
    meaning: 'Two ports were given the same number.',
    remedy: 'Choose another number, or remove the first port.',
  },
  DATAPATH_THREAD_DEAD: {
    meaning: 'A packet thread has failed or does not answer.',
    remedy: 'Restart the switch, and report the message.',
  },
  DATAPATH_TOO_MANY_PORTS: {
    meaning: 'A datapath has as many ports as its memory was laid out for.',
    remedy: 'Configure more ports, or remove one.',
  },
} as const satisfies ErrorTable;

export class DatapathError extends OkoError<keyof typeof DATAPATH_ERRORS> {}
