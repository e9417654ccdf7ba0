import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPcapFile, readCaptureFile } from './capture-file.ts';
import { encodePcap } from './pcap-writer.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oko-capture-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const packets = [1n, 2n].map((timestampNs) => ({ timestampNs, originalLength: 3, bytes: Uint8Array.of(1, 2, 3) }));
const openDescriptors = () => readdirSync('/proc/self/fd').length;

describe('capture files', () => {
  it('appear under their name only when they are finished', () => {
    const path = join(folder, 'out.pcap');
    writeFileSync(path, 'what was there before');
    const writer = createPcapFile(path);
    for (const packet of packets) writer.write(packet);
    expect(readFileSync(path, 'utf8')).toBe('what was there before');
    writer.finish();
    expect(readdirSync(folder)).toEqual(['out.pcap']);
    expect([...readCaptureFile(path)]).toEqual(packets);
  });

  it('hold the same bytes as a capture in memory, also when microseconds became nanoseconds late', () => {
    const path = join(folder, 'out.pcap');
    const many = Array.from({ length: 3000 }, (_, i) => ({ ...packets[0], timestampNs: BigInt(i) * 1000n }));
    many.push({ ...packets[0], timestampNs: 1n });
    const writer = createPcapFile(path);
    for (const packet of many) writer.write(packet);
    writer.finish();
    expect(new Uint8Array(readFileSync(path))).toEqual(encodePcap(many));
  });

  it('leave nothing behind when given up', () => {
    const writer = createPcapFile(join(folder, 'out.pcap'));
    writer.write(packets[0]);
    expect(readdirSync(folder)).toHaveLength(1);
    writer.abort();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('replace the file that a symbolic link leads to, not the link', () => {
    writeFileSync(join(folder, 'real.pcap'), '');
    symlinkSync('real.pcap', join(folder, 'link.pcap'));
    const writer = createPcapFile(join(folder, 'link.pcap'));
    writer.finish();
    expect([...readCaptureFile(join(folder, 'real.pcap'))]).toEqual([]);
  });

  it('never replace a device or a folder', () => {
    expect(() => createPcapFile('/dev/null')).toThrow(/\/dev\/null: it exists and is no regular file/);
    expect(() => createPcapFile(folder)).toThrow(/no regular file/);
  });

  it.each([
    ['a missing file', () => readCaptureFile(join(folder, 'none.pcap')), 'PACKET_FILE_OPEN', /no such file/],
    ['a folder', () => readCaptureFile(folder), 'PACKET_FILE_OPEN', /it is a directory/],
    [
      'a missing folder',
      () => createPcapFile(join(folder, 'a', 'b.pcap')),
      'PACKET_FILE_OPEN',
      /no such file or folder/,
    ],
    ['an empty file', () => readCaptureFile('/dev/null'), 'PACKET_PCAP_EMPTY', /\/dev\/null: the file is empty/],
  ])('name %s and close what they opened', (_, action, code, text) => {
    const before = openDescriptors();
    expect(action).toThrow(expect.objectContaining({ code, message: expect.stringMatching(text) }));
    expect(openDescriptors()).toBe(before);
  });

  it('are closed when the reader leaves early, ends, fails, or never starts', () => {
    const path = join(folder, 'in.pcap');
    writeFileSync(path, encodePcap(packets));
    const before = openDescriptors();
    for (const _ of readCaptureFile(path)) break;
    expect(openDescriptors()).toBe(before);
    expect([...readCaptureFile(path)]).toHaveLength(2);
    expect(openDescriptors()).toBe(before);
    readCaptureFile(path).return();
    expect(openDescriptors()).toBe(before);
    writeFileSync(path, encodePcap(packets).subarray(0, -1));
    expect(() => [...readCaptureFile(path)]).toThrow(/cut in packet 2/);
    expect(openDescriptors()).toBe(before);
  });
});
