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
  DATAPATH_PORT_EXISTS: {
    meaning: 'Two ports were given the same number.',
    remedy: 'Choose another number, or remove the first port.',
  },
} as const satisfies ErrorTable;

export class DatapathError extends OkoError<keyof typeof DATAPATH_ERRORS> {}
