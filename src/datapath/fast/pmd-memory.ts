import { type EbpfMemory, EbpfThread, EpochClock } from '../../bpf/index.ts';
import { PORT_COUNTER_BYTES, STAT_BYTES } from '../layout.ts';
import { type DatapathLimits, DatapathMemory, DEFAULT_LIMITS } from './memory.ts';
import { ThreadMemory, threadBytes } from './thread-memory.ts';

/** The number of main among those that run filter programs; packet threads follow. */
const MAIN = 0;

/** The memory of a datapath with packet threads, made before the datapath since filter programs and their maps live in it too. */
export class PmdMemory {
  readonly datapath: DatapathMemory;
  readonly clock: EpochClock;
  /** Where main runs programs. */
  readonly thread: EbpfThread;
  readonly workers: readonly { readonly own: ThreadMemory; readonly ebpf: EbpfThread }[];
  /** What main counts itself. */
  readonly stats: number;
  readonly portCounters: number;

  /** Where main's filter programs and all maps live. */
  get surroundings(): { readonly memory: EbpfMemory; readonly clock: EpochClock; readonly thread: EbpfThread } {
    return { memory: this.datapath.ebpf, clock: this.clock, thread: this.thread };
  }

  /** @throws DatapathError DATAPATH_NO_MEMORY; BpfError */
  constructor(threads = 1, limits: Partial<DatapathLimits> = {}) {
    const all = { ...DEFAULT_LIMITS, ...limits };
    const mainBytes = STAT_BYTES + all.ports * PORT_COUNTER_BYTES + 128;
    this.datapath = new DatapathMemory(all, threads, threadBytes(all) + mainBytes);
    const { ebpf } = this.datapath;
    this.clock = EpochClock.create(ebpf, threads + 1);
    this.thread = EbpfThread.create(ebpf, MAIN);
    this.workers = Array.from({ length: threads }, (_, index) => {
      const thread = EbpfThread.create(ebpf, index + 1);
      return { own: new ThreadMemory(this.datapath, index, false, thread.address), ebpf: thread };
    });
    this.stats = this.datapath.allocate(STAT_BYTES);
    this.portCounters = this.datapath.allocate(all.ports * PORT_COUNTER_BYTES);
  }
}
