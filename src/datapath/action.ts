/**
 * What a cached flow does to a packet: the few primitives that translation leaves of OpenFlow's actions. Port numbers are
 * real ports of the datapath; reserved ports (FLOOD, NORMAL, IN_PORT) are resolved when a packet is translated.
 */
export type DatapathAction = { readonly kind: 'output'; readonly port: number };
