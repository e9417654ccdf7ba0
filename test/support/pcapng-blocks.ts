import { ByteWriter } from '../../src/bytes/index.ts';
import { bytesSource, type CapturedPacket, readCapture } from '../../src/packet/index.ts';
import { BLOCK_TYPE, BYTE_ORDER_MAGIC, OPTION, SECTION_HEADER_BLOCK } from '../../src/packet/pcapng.ts';

/** Writes pcapng blocks in either byte order. */
export class PcapngBlocks {
  readonly out = new ByteWriter();
  readonly #le: boolean;

  constructor(littleEndian: boolean) {
    this.#le = littleEndian;
  }

  block(type: number, fill: (body: ByteWriter) => void, lengths: { first?: number; last?: number } = {}): this {
    const body = new ByteWriter();
    fill(body);
    body.align(4);
    const length = body.length + 12;
    this.out.u32(type, this.#le).u32(lengths.first ?? length, this.#le);
    this.out.put(body.finish()).u32(lengths.last ?? length, this.#le);
    return this;
  }

  section(magic = BYTE_ORDER_MAGIC, version = 1): this {
    return this.block(SECTION_HEADER_BLOCK, (b) =>
      b.u32(magic, this.#le).u16(version, this.#le).u16(0, this.#le).u64(0xffffffffffffffffn, this.#le),
    );
  }

  interface(options: { linkType?: number; snapLength?: number; tsresol?: number; tsoffset?: bigint } = {}): this {
    return this.block(BLOCK_TYPE.interface, (b) => {
      b.u16(options.linkType ?? 1, this.#le)
        .u16(0)
        .u32(options.snapLength ?? 0, this.#le);
      b.u16(2, this.#le).u16(3, this.#le).put(new TextEncoder().encode('eth')).align(4);
      if (options.tsresol !== undefined)
        b.u16(OPTION.ifTsresol, this.#le).u16(1, this.#le).u8(options.tsresol).align(4);
      if (options.tsoffset !== undefined)
        b.u16(OPTION.ifTsoffset, this.#le).u16(8, this.#le).u64(BigInt.asUintN(64, options.tsoffset), this.#le);
      b.u16(OPTION.end).u16(0);
    });
  }

  enhanced(index: number, ticks: bigint, data: number[], lengths: { captured?: number; original?: number } = {}): this {
    return this.block(BLOCK_TYPE.enhancedPacket, (b) => {
      b.u32(index, this.#le)
        .u32(Number(ticks >> 32n), this.#le)
        .u32(Number(ticks & 0xffffffffn), this.#le);
      b.u32(lengths.captured ?? data.length, this.#le).u32(lengths.original ?? data.length, this.#le);
      b.put(Uint8Array.from(data));
    });
  }

  obsolete(index: number, ticks: bigint, data: number[]): this {
    return this.block(BLOCK_TYPE.obsoletePacket, (b) => {
      b.u16(index, this.#le)
        .u16(0xffff)
        .u32(Number(ticks >> 32n), this.#le)
        .u32(Number(ticks & 0xffffffffn), this.#le);
      b.u32(data.length, this.#le).u32(data.length, this.#le).put(Uint8Array.from(data));
    });
  }

  simple(original: number, data: number[]): this {
    return this.block(BLOCK_TYPE.simplePacket, (b) => b.u32(original, this.#le).put(Uint8Array.from(data)));
  }

  read(): CapturedPacket[] {
    return [...readCapture(bytesSource(this.out.finish(), 'x.pcapng'))];
  }
}
