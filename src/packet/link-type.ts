import { PacketError } from './errors.ts';

/** LINKTYPE_ETHERNET of tcpdump.org's list of link-layer header types. */
export const LINK_TYPE_ETHERNET = 1;

/** Names for the types that people meet, so that a refusal says what the capture holds. */
const LINK_TYPE_NAMES: Readonly<Record<number, string>> = {
  0: 'BSD loopback',
  6: 'IEEE 802.5 token ring',
  9: 'PPP',
  50: 'PPP over serial',
  51: 'PPPoE',
  101: 'raw IP',
  104: 'Cisco HDLC',
  105: 'IEEE 802.11',
  108: 'OpenBSD loopback',
  113: 'Linux cooked capture v1 (device "any")',
  117: 'OpenBSD pflog',
  119: 'IEEE 802.11 with Prism header',
  127: 'IEEE 802.11 with radiotap header',
  187: 'Bluetooth HCI',
  189: 'USB of Linux',
  195: 'IEEE 802.15.4',
  220: 'USB of Linux, padded',
  227: 'CAN bus',
  228: 'raw IPv4',
  229: 'raw IPv6',
  239: 'netfilter log',
  249: 'USBPcap',
  253: 'netlink',
  276: 'Linux cooked capture v2 (device "any")',
};

export function linkTypeName(linkType: number): string {
  const name = LINK_TYPE_NAMES[linkType];
  return name === undefined ? `link type ${linkType}` : `${name}, link type ${linkType}`;
}

export function requireEthernet(linkType: number, captureName: string): void {
  if (linkType !== LINK_TYPE_ETHERNET)
    throw new PacketError(
      'PACKET_PCAP_LINK_TYPE',
      `${captureName}: packets of ${linkTypeName(linkType)}; only Ethernet is read`,
    );
}
