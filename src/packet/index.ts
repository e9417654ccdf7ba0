// The packet room. Capture files on disk are in `capture-file.ts`, apart from this, since only that needs Node.
export { bytesSource, type CapturedPacket, type CaptureSource, readCapture } from './capture.ts';
export { PACKET_ERRORS, PacketError } from './errors.ts';
export { type CaptureSink, encodePcap, MemorySink, type PcapPrecision, PcapWriter } from './pcap-writer.ts';
