/*
 * The bytes that the datapath's threads share, as both compilers read them: tsc for the threads' JavaScript, asc for the core.
 * So only plain constants stand here. All numbers in memory are little-endian, but for flow keys, which are in network order.
 *
 *     0          window start                         window end       + guard
 *     | unused | packet buffers | eBPF stacks, maps … | guard          | descriptors, ports, outcomes | per thread: scratch, rings, cache …
 *
 * What an eBPF program may reach lies in the window below; everything the switch relies on lies above.
 */

// ---- Packets

/** The most packets handled at once. */
export const BATCH_PACKETS = 32;
/** Free bytes before a received packet, for tags and labels to come. */
export const HEADROOM = 128;
/** The first bytes of a buffer belong to drivers. */
export const BUFFER_HEAD = 16;
export const SMALL_BUFFER_BYTES = 2048;
/** 64 KiB of IP, link header and headroom. */
export const LARGE_BUFFER_BYTES = 67584;

/** What is known of a buffer, whether a packet is in it or not. */
export const BUFFER_RECORD_BYTES = 64;
/** u32: where the buffer lies. */
export const BUFFER_BASE = 0;
/** u32 */
export const BUFFER_CAPACITY = 4;
/** u32: holders of the buffer; 1 also while it is free, so that taking it writes nothing. */
export const BUFFER_HOLDERS = 8;
/** u32: the next packet that waits for the same flow. */
export const BUFFER_NEXT = 12;
/** u32: where the packet in it begins, and its bytes; while it waits or is upstairs. */
export const BUFFER_ADDRESS = 16;
export const BUFFER_LENGTH = 20;
/** u32: the port it came in by, and the pass it is in; while it waits. */
export const BUFFER_IN_PORT = 24;
export const BUFFER_RECIRC = 28;
/** u64 ns */
export const BUFFER_TIME = 32;
/** u32: the port's slot; while it waits. */
export const BUFFER_SLOT = 52;
/** virtio header of a packet that its sender left unfinished: 10 bytes, all zero for others. */
export const BUFFER_VIRTIO = 40;

/** A packet of the batch. */
export const PACKET_RECORD_BYTES = 16;
/** u32 number of its buffer */
export const PACKET_BUFFER = 0;
export const PACKET_ADDRESS = 4;
export const PACKET_LENGTH = 8;
/** u32 queue, for packets on their way out */
export const PACKET_QUEUE = 12;

// ---- The flow key, as `src/packet/key.ts` has it (a test compares them)

export const KEY_IN_PORT = 0;
export const KEY_ETH_DST = 8;
export const KEY_ETH_SRC = 14;
export const KEY_ETH_TYPE = 20;
export const KEY_VLAN_TPID = 22;
export const KEY_VLAN_TCI = 24;
export const KEY_IP_PROTO = 30;
export const KEY_IP_TOS = 31;
export const KEY_IP_TTL = 32;
export const KEY_IP_FRAG = 33;
export const KEY_TCP_FLAGS = 34;
export const KEY_IP_SRC = 36;
export const KEY_IP_DST = 40;
export const KEY_L4_SRC = 44;
export const KEY_L4_DST = 46;
export const KEY_IPV6_SRC = 48;
export const KEY_IPV6_DST = 64;
export const KEY_IPV6_LABEL = 80;
export const KEY_ARP_SHA = 84;
export const KEY_ARP_THA = 90;
export const KEY_ND_TARGET = 96;
export const KEY_ND_RESERVED = 112;
export const KEY_MPLS_LSE = 116;
export const KEY_NSH_FLAGS = 128;
export const KEY_NSH_TTL = 129;
export const KEY_NSH_MDTYPE = 130;
export const KEY_NSH_NP = 131;
export const KEY_NSH_PATH = 132;
export const KEY_NSH_CONTEXT = 136;
export const KEY_PACKET_END = 152;
export const KEY_RECIRC_ID = 236;
export const KEY_END = 400;
/** Room for one key, or one packed key. */
export const KEY_STRIDE = 512;

// ---- The union: which words of the key decide

/** u32 words that count; u32 1 when words beyond the packet region and in_port's do. */
export const UNION_COUNT = 0;
export const UNION_WORDS = 16;
/** One word: u32 offset in the key, u64 mask, u64 odd factor of the hash. */
export const UNION_WORD_BYTES = 24;
export const UNION_WORD_OFFSET = 0;
export const UNION_WORD_MASK = 8;
export const UNION_WORD_FACTOR = 16;
/** The first words of the key, which are all that an IPv4 packet fills, always count, so that they have their places. */
export const UNION_FIXED_WORDS = 6;
export const UNION_MAX_WORDS = 50;
export const UNION_BYTES = 1280;

// ---- The flow cache of a thread

/** A slot: u32 generation, u32 node, u32 last use, u32 hash, then the packed key. */
export const FLOW_GENERATION = 0;
export const FLOW_NODE = 4;
/** Time of the last packet in units of 2^26 ns, about 67 ms. */
export const FLOW_USED = 8;
export const FLOW_HASH = 12;
export const FLOW_KEY = 16;
export const FLOW_USED_SHIFT = 26;
/** A key is in one of so many slots from its home on. */
export const FLOW_WAYS = 8;
export const FLOW_MIN_SLOTS = 1024;

/** What a flow's node is, in its low bits: an outcome, a question, a record of packets that wait for a verdict. 0: nothing. */
export const NODE_QUESTION = 1;
export const NODE_WAITING = 2;
export const NODE_TAGS = 3;

/** u32 program, u32 node when it matched, u32 node when not. */
export const QUESTION_PROGRAM = 0;
export const QUESTION_MATCHED = 4;
export const QUESTION_REFUSED = 8;
export const QUESTION_BYTES = 16;
/** Numbers from here on ask for the packet's length. */
export const LENGTH_QUESTIONS = 0x10000;
/** Answers that travel with a packet; a longer chain is not cached. */
export const MAX_RESULTS = 62;

// ---- Outcomes: written by main, read by the threads; each thread counts in a line of its own

export const OUTCOME_ACTIONS = 0;
/** u32: the slot of the only port that the packet as it is goes out by, or NO_SLOT. */
export const OUTCOME_ONLY_PORT = 4;
export const OUTCOME_COUNTERS = 32;
export const OUTCOME_THREAD_BYTES = 64;
/** u64 each */
export const COUNTER_PACKETS = 0;
export const COUNTER_BYTES = 8;
export const COUNTER_USED = 16;
export const NO_SLOT = 0xffff;

// ---- Actions: u32 words

export const OP_END = 0;
/** slot, bytes at most, queue */
export const OP_OUTPUT = 1;
/** parts of the packet that are written (SET_*), count, then so many of {u32 offset in the key, u32, u64 value, u64 mask} */
export const OP_SET = 2;
/** tpid, tci */
export const OP_PUSH_VLAN = 3;
export const OP_POP_VLAN = 4;
/** Ethertype, label stack entry */
export const OP_PUSH_MPLS = 5;
/** Ethertype */
export const OP_POP_MPLS = 6;
/** bytes of the actions within, which follow and end in OP_END */
export const OP_CLONE = 7;
/** number */
export const OP_RECIRCULATE = 8;
/** note */
export const OP_TO_MAIN = 9;

export const NO_LIMIT = 0xffffffff;
export const NO_QUEUE = 0xffffffff;

/** Only the Ethernet addresses are written. */
export const SET_ADDRESSES = 1;
/** Besides, only type of service, TTL, addresses and ports of IPv4. */
export const SET_COMMON = 2;

// ---- Ports, by slot

export const PORT_RECORD_BYTES = 64;
/** u32 PORT_KIND_* */
export const PORT_KIND = 0;
/** u32: the number that flows know it by. */
export const PORT_NUMBER = 4;
/** u32: the thread that receives from it. */
export const PORT_THREAD = 8;
/** A source of packets in memory: u32 address of its records, u32 how many, u32 which is next, u32 rounds left, NO_LIMIT without end. */
export const PORT_SOURCE = 16;
export const PORT_SOURCE_COUNT = 20;
export const PORT_SOURCE_NEXT = 24;
export const PORT_SOURCE_ROUNDS = 28;

export const PORT_KIND_NONE = 0;
/** JavaScript of the same thread takes each packet at once. */
export const PORT_KIND_CALL = 1;
/** Packets are collected for a driver of the thread. */
export const PORT_KIND_DRIVER = 2;
/** Packets are counted and dropped. */
export const PORT_KIND_SINK = 3;
/** Packets go up the ring. */
export const PORT_KIND_MAIN = 4;

/** A packet of a source: u32 address, u32 bytes. */
export const SOURCE_RECORD_BYTES = 8;

/** Counters of a port in one thread: u64 each. */
export const PORT_COUNTER_BYTES = 64;
export const PORT_RX_PACKETS = 0;
export const PORT_RX_BYTES = 8;
export const PORT_TX_PACKETS = 16;
export const PORT_TX_BYTES = 24;
export const PORT_TX_DROPPED = 32;
/** Packets of the port that wait for verdicts; u32. */
export const PORT_WAITING = 40;

/** Packets collected for a driver: u32 count, then records. */
export const TX_RECORDS = 16;
export const TX_MAX = 64;
export const TX_LIST_BYTES = 1040;

// ---- Filter programs, by number

export const PROGRAM_RECORD_BYTES = 32;
export const PROGRAM_COUNT = 0x10000;
/** u32: place in the thread's table of functions; 0: not there. */
export const PROGRAM_FUNCTION = 0;
/** u64 each */
export const PROGRAM_RUNS = 8;
export const PROGRAM_MATCHES = 16;

// ---- Counters of a thread: u64 each

export const STAT_HITS = 0;
export const STAT_MISSES = 8;
export const STAT_EVICTIONS = 16;
export const STAT_NO_PORT = 24;
export const STAT_PORT_FULL = 32;
export const STAT_TOO_DEEP = 40;
export const STAT_NO_BUFFER = 48;
export const STAT_UPCALL_FULL = 56;
export const STAT_UNCACHED = 64;
export const STAT_FLOWS = 72;
export const STAT_BYTES = 128;

/** Passes in a row. */
export const MAX_DEPTH = 64;

// ---- Packets that wait for a verdict on their flow

export const WAITING_RECORD_BYTES = 32;
/** u32: the next free record, or NO_RECORD. */
export const WAITING_NEXT = 0;
/** u32: what the flow's node was. */
export const WAITING_NODE = 4;
/** u32 buffers, in order of arrival; NO_BUFFER. The first one is upstairs. */
export const WAITING_HEAD = 8;
export const WAITING_TAIL = 12;
/** u32: stamp of the cache when the record was made; the node is of no use under another one. */
export const WAITING_STAMP = 16;
export const NO_BUFFER = 0xffffffff;
export const NO_RECORD = 0xffffffff;

// ---- Rings between a thread and main: u32 head (bytes written), u32 tail (bytes read), each on its own line, then the bytes

export const RING_HEAD = 0;
export const RING_TAIL = 64;
export const RING_DATA = 128;
/** A message: u32 bytes (a multiple of 8), u32 kind. */
export const MESSAGE_HEAD_BYTES = 8;
/** The rest of the ring up to its end is unused. */
export const MESSAGE_SKIP = 0;
/** Up: a packet that waits for a verdict. */
export const MESSAGE_UPCALL = 1;
export const UPCALL_RECORD = 8;
export const UPCALL_ADDRESS = 12;
export const UPCALL_LENGTH = 16;
export const UPCALL_IN_PORT = 20;
export const UPCALL_RECIRC = 24;
export const UPCALL_RESULT_COUNT = 28;
/** u64 ns */
export const UPCALL_TIME = 32;
/** The packet region of the key, then the results. */
export const UPCALL_KEY = 40;
export const UPCALL_RESULTS = 192;
/** Up: u32 note, bytes, depth; u64 time; then the packet. */
export const MESSAGE_TO_MAIN = 2;
/** Up: u32 slot, bytes, depth; u64 time; u32 queue; virtio header; then the packet. */
export const MESSAGE_OUTPUT = 3;
export const PACKET_MESSAGE_SUBJECT = 8;
export const PACKET_MESSAGE_LENGTH = 12;
export const PACKET_MESSAGE_DEPTH = 16;
/** u32; in MESSAGE_EXECUTE the bytes of the actions, which lie before the packet */
export const PACKET_MESSAGE_EXTRA = 20;
export const PACKET_MESSAGE_TIME = 24;
export const PACKET_MESSAGE_VIRTIO = 32;
export const PACKET_MESSAGE_DATA = 48;
/** Down: a verdict. */
export const MESSAGE_VERDICT = 4;
export const VERDICT_RECORD = 8;
export const VERDICT_OUTCOME = 12;
export const VERDICT_GENERATION = 16;
/** u32 results, then the results. */
export const VERDICT_RESULT_COUNT = 20;
export const VERDICT_RESULTS = 24;
/** Down: a packet comes in by the port with a slot. */
export const MESSAGE_RECEIVE = 5;
/** Down: actions to run on a packet; the subject is what a further pass has as its port. */
export const MESSAGE_EXECUTE = 6;

// ---- What the threads tell each other: one line of u32 for all, then one for each thread

/** u32: the verdicts that hold. */
export const SHARED_GENERATION = 0;
/** u32: address of the union of that generation. */
export const SHARED_UNION = 4;
export const SHARED_THREADS = 64;
export const SHARED_THREAD_BYTES = 64;
/** u32: the generation that the thread handles packets by. */
export const THREAD_GENERATION = 0;
/** u32 THREAD_*: what it is doing. */
export const THREAD_STATE = 4;
/** u32: counts up when there is something for the thread to look at. */
export const THREAD_DOORBELL = 8;
/** u32: letters posted to its JavaScript, and those read. */
export const THREAD_POSTED = 12;
export const THREAD_READ = 16;
/** u32: main is looking at the thread's ring, or will. */
export const THREAD_MAIN_AWAKE = 20;
/** u32: where the thread's flow cache lies, its slots, bytes of a slot, and what valid slots are stamped with. */
export const THREAD_TABLE = 24;
export const THREAD_SLOTS = 28;
export const THREAD_STRIDE = 32;
export const THREAD_STAMP = 36;
export const THREAD_RUNNING = 1;
export const THREAD_ASLEEP = 2;
export const THREAD_STOPPED = 3;

// ---- What the core of a thread is told at its start: u32 words

export const CONFIG_THREAD = 0;
export const CONFIG_SHARED = 4;
export const CONFIG_BUFFERS = 8;
export const CONFIG_SMALL_STACK = 12;
export const CONFIG_LARGE_STACK = 16;
export const CONFIG_STATS = 20;
export const CONFIG_PORTS = 24;
export const CONFIG_PORT_COUNTERS = 28;
export const CONFIG_TX = 32;
export const CONFIG_PROGRAMS = 36;
export const CONFIG_KEYS = 40;
export const CONFIG_PACKED = 44;
export const CONFIG_BATCH = 48;
export const CONFIG_HASHES = 52;
export const CONFIG_RESULTS = 56;
export const CONFIG_CACHE = 60;
/** Bytes of each of the cache's two halves. */
export const CONFIG_CACHE_BYTES = 64;
export const CONFIG_CACHE_FLOWS = 68;
export const CONFIG_QUESTIONS = 72;
export const CONFIG_QUESTION_COUNT = 76;
export const CONFIG_WAITING = 80;
export const CONFIG_WAITING_COUNT = 84;
export const CONFIG_UP_RING = 88;
export const CONFIG_UP_RING_BYTES = 92;
export const CONFIG_DOWN_RING = 96;
export const CONFIG_DOWN_RING_BYTES = 100;
export const CONFIG_SMALL_COUNT = 104;
export const CONFIG_LARGE_COUNT = 108;
export const CONFIG_SCRATCH = 112;
/** u32: packets of one port that may wait for verdicts. */
export const CONFIG_PORT_QUOTA = 116;
/** u32: address of the thread's eBPF block, whose first u64 is the time that programs see. */
export const CONFIG_EBPF_THREAD = 120;
/** u32: 1 when misses are answered at once by a call, 0 when they go up the ring. */
export const CONFIG_CALLS = 124;
/** u32 slots of ports. */
export const CONFIG_SLOTS = 128;
export const CONFIG_BYTES = 192;

/** Lists of free buffers: u32 count, then numbers. */
export const STACK_ITEMS = 16;
/** In the scratch: the CRC table, keys for rewriting, nodes of the batch, a verdict handed over by a call. */
export const SCRATCH_CRC = 0;
export const SCRATCH_CURRENT = 1024;
export const SCRATCH_DESIRED = 1536;
export const SCRATCH_NODES = 2048;
export const SCRATCH_DIRTY_PORTS = 4096;
/** u32 results, then the results. */
export const SCRATCH_VERDICT = 16384;
export const SCRATCH_BYTES = 32768;
/** Sets of scratch: one for each packet of a batch, one for each further pass. */
export const SCRATCH_PASSES = 96;
