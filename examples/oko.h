/*
 * What a filter program for Oko includes: types, helpers, map declarations, packet headers. Needs no other header.
 *
 * A filter is one function:
 *
 *     uint64_t entry(void *pkt, uint64_t pkt_len);
 *
 * pkt points to the first byte of the Ethernet frame, pkt_len is its length in bytes. Return 1 and the packet matches the
 * flow that names the program; return anything else and it does not. A program may read the packet and read and write
 * its maps and its stack (512 bytes); it cannot change the packet. The switch verifies it when it is loaded: every packet
 * byte must be shown to lie within pkt_len, every lookup checked against NULL, every loop bounded.
 *
 * Compile:  clang -O2 -g -target bpf -c my-filter.c -o my-filter.o        (clang 14 or newer; -g lets messages quote your C)
 */
#ifndef OKO_H
#define OKO_H

#ifndef __OPTIMIZE__
#error "compile filters with -O2: without optimisation clang calls the helpers below through pointers in memory"
#endif

/* ---- Types -------------------------------------------------------------------------------------------------------- */

typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;

#ifndef NULL
#define NULL ((void *)0)
#endif

/* The section a function or variable goes to. Several programs may share an object, told apart by section or name. */
#define SEC(name) __attribute__((section(name), used))

#define OKO_INLINE static inline __attribute__((always_inline, unused))

/* ---- Helpers: functions of the switch, called by number ------------------------------------------------------------ */

#define OKO_HELPER static __attribute__((unused))

/*
 * The value of a key, or NULL. The pointer may be written through, and stays good until the program returns. In a Bloom
 * filter: not NULL when the item is perhaps contained. In a count-min sketch: the item's estimated count.
 */
OKO_HELPER void *(*ubpf_map_lookup)(const void *map, const void *key) = (void *)1;
/* Sets a key's value, adding the key if it is new. 0, or negative: the map is full, or of a kind without keys. */
OKO_HELPER int (*ubpf_map_update)(const void *map, const void *key, const void *value) = (void *)2;
/* 0, or negative: there was no such key, or the map is an array. */
OKO_HELPER int (*ubpf_map_delete)(const void *map, const void *key) = (void *)3;
/* Adds an item to a Bloom filter, or counts it once in a count-min sketch. 0, or negative on other maps. */
OKO_HELPER int (*ubpf_map_add)(const void *map, const void *item) = (void *)4;
/* Wall clock in nanoseconds since 1970; the same for all packets of a batch. It can be set back. */
OKO_HELPER uint64_t (*ubpf_time_get_ns)(void) = (void *)5;
/* Bob Jenkins' lookup3 of `size` bytes, a constant of at most 512. */
OKO_HELPER uint32_t (*ubpf_hash)(const void *item, uint64_t size) = (void *)6;
/* A line into the switch's log, at a limited rate; up to four numbers after the format. */
OKO_HELPER void (*ubpf_printf)(const char *format, ...) = (void *)7;

/* ---- Maps, declared as Oko always has ------------------------------------------------------------------------------ */

enum ubpf_map_type {
	UBPF_MAP_TYPE_ARRAY = 1,            /* key: index, 4 or 8 bytes; every element exists, zero at first */
	UBPF_MAP_TYPE_BLOOMFILTER = 2,      /* max_entries: bits; key_size: bytes of an item */
	UBPF_MAP_TYPE_COUNTMIN = 3,         /* nb_hash_functions rows of max_entries counters of value_size (4 or 8) bytes */
	UBPF_MAP_TYPE_HASHMAP = 4,
	UBPF_MAP_TYPE_LRU_HASHMAP = 5,      /* full: forgets a key that was not used for long */
	UBPF_MAP_TYPE_LPM_TRIE = 6,         /* key: uint32_t prefix length in bits, then the bytes */
	UBPF_MAP_TYPE_PER_THREAD_ARRAY = 7, /* each packet thread has its own values */
	UBPF_MAP_TYPE_PER_THREAD_HASHMAP = 8,
};

struct ubpf_map_def {
	uint32_t type;
	uint32_t key_size;          /* bytes */
	uint32_t value_size;        /* bytes */
	uint32_t max_entries;
	uint32_t nb_hash_functions; /* Bloom filter and count-min sketch; else 0 */
};

/*
 *     struct ubpf_map_def SEC("maps") seen = {
 *             .type = UBPF_MAP_TYPE_HASHMAP, .key_size = 4, .value_size = 8, .max_entries = 1024,
 *     };
 *     uint64_t *count = ubpf_map_lookup(&seen, &address);
 *
 * Maps are numbered 0, 1, … in the order in which the object file holds them (the order of their definitions).
 */

/* ---- Maps, declared as for libbpf ---------------------------------------------------------------------------------- */

/*
 *     struct {
 *             __uint(type, BPF_MAP_TYPE_HASH);
 *             __type(key, uint32_t);
 *             __type(value, uint64_t);
 *             __uint(max_entries, 1024);
 *     } seen SEC(".maps");
 *
 * Needs -g: the definition travels in the object's type information.
 */
#define __uint(name, value) int (*name)[value]
#define __type(name, type) __typeof__(type) *name

enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_HASH = 5,  /* one value for each packet thread */
	BPF_MAP_TYPE_PERCPU_ARRAY = 6, /* one value for each packet thread */
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_BLOOM_FILTER = 30,
};

/* ---- Byte order: packets are big-endian, programs little-endian ----------------------------------------------------- */

#define oko_ntohs(x) ((uint16_t)__builtin_bswap16(x))
#define oko_ntohl(x) ((uint32_t)__builtin_bswap32(x))
#define oko_htons(x) oko_ntohs(x)
#define oko_htonl(x) oko_ntohl(x)
/* 10.1.2.3 as a packet holds it: OKO_IPV4(10, 1, 2, 3) */
#define OKO_IPV4(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* ---- Packet headers; fields of more than a byte are big-endian ------------------------------------------------------ */

struct ethernet_header {
	uint8_t destination[6];
	uint8_t source[6];
	uint16_t type;
};

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_QINQ 0x88a8

/* Follows the Ethernet header's type when that is ETHERTYPE_VLAN or ETHERTYPE_QINQ. */
struct vlan_header {
	uint16_t tci;  /* priority 3 bits, drop eligible 1, VLAN id 12 */
	uint16_t type; /* of what follows */
};

struct ipv4_header {
	uint8_t version_ihl; /* version 4 bits, header length in 4-byte words 4 bits */
	uint8_t tos;
	uint16_t total_length;
	uint16_t id;
	uint16_t fragment; /* flags 3 bits, offset in 8-byte units 13 bits */
	uint8_t ttl;
	uint8_t protocol;
	uint16_t checksum;
	uint32_t source;
	uint32_t destination;
};

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff

struct ipv6_header {
	uint32_t version_class_label;
	uint16_t payload_length;
	uint8_t next_header;
	uint8_t hop_limit;
	uint32_t source[4];
	uint32_t destination[4];
};

#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_ICMPV6 58

struct tcp_header {
	uint16_t source;
	uint16_t destination;
	uint32_t sequence;
	uint32_t acknowledgment;
	uint8_t data_offset; /* header length in 4-byte words in the high 4 bits */
	uint8_t flags;
	uint16_t window;
	uint16_t checksum;
	uint16_t urgent;
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20

struct udp_header {
	uint16_t source;
	uint16_t destination;
	uint16_t length;
	uint16_t checksum;
};

struct icmp_header {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
};

_Static_assert(sizeof(struct ethernet_header) == 14 && sizeof(struct vlan_header) == 4, "Ethernet");
_Static_assert(sizeof(struct ipv4_header) == 20 && sizeof(struct ipv6_header) == 40, "IP");
_Static_assert(sizeof(struct tcp_header) == 20 && sizeof(struct udp_header) == 8, "TCP, UDP");

/* ---- Reading the packet --------------------------------------------------------------------------------------------- */

/*
 * A header is read in two steps, so that the verifier sees the check in front of the access:
 *
 *     if (!oko_fits(pkt_len, offset, struct tcp_header))
 *             return 0;
 *     const struct tcp_header *tcp = oko_at(pkt, offset, struct tcp_header);
 */
#define oko_fits(pkt_len, offset, type) ((uint64_t)(offset) + sizeof(type) <= (pkt_len))
#define oko_at(pkt, offset, type) ((const type *)((const uint8_t *)(pkt) + (offset)))

/* Where an IPv4 packet's parts are. */
struct oko_ipv4 {
	const struct ipv4_header *header;
	uint64_t payload; /* offset of what follows the header and its options */
};

/*
 * Finds the IPv4 header behind the Ethernet header and at most one VLAN tag. 1: found; 0: the packet is not IPv4;
 * -1: it says that it is, but is cut or malformed.
 */
OKO_INLINE int oko_parse_ipv4(const void *pkt, uint64_t pkt_len, struct oko_ipv4 *ip)
{
	uint64_t offset = sizeof(struct ethernet_header);
	if (!oko_fits(pkt_len, 0, struct ethernet_header))
		return 0;
	uint16_t type = oko_at(pkt, 0, struct ethernet_header)->type;
	if (type == oko_htons(ETHERTYPE_VLAN)) {
		if (!oko_fits(pkt_len, offset, struct vlan_header))
			return 0;
		type = oko_at(pkt, offset, struct vlan_header)->type;
		offset += sizeof(struct vlan_header);
	}
	if (type != oko_htons(ETHERTYPE_IPV4))
		return 0;
	if (!oko_fits(pkt_len, offset, struct ipv4_header))
		return -1;
	ip->header = oko_at(pkt, offset, struct ipv4_header);
	uint64_t header_bytes = (ip->header->version_ihl & 0x0f) * 4;
	if (ip->header->version_ihl >> 4 != 4 || header_bytes < sizeof(struct ipv4_header))
		return -1;
	ip->payload = offset + header_bytes;
	return 1;
}

/* A fragment that is not the first has no TCP or UDP header. */
OKO_INLINE int oko_is_later_fragment(const struct ipv4_header *header)
{
	return (header->fragment & oko_htons(IPV4_FRAGMENT_OFFSET)) != 0;
}

#endif
