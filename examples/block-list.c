/*
 * Block list: matches packets from (or to) a very long list of IPv4 addresses, kept in a Bloom filter of 1 MiB: 8 million bits, for
 * 500,000 addresses one wrong match in about 2,000.
 *
 *     priority=100,ip,filter_prog=8,actions=drop
 *     priority=0,actions=NORMAL
 *
 * Map 0, `blocked`, is the filter: adding an address (4 bytes, as in the packet) blocks it. Map 1, `excepted`, holds the
 * addresses that the filter takes for blocked by mistake, or that must never be: they do not match. Map 2, `hits`, counts the
 * packets that matched {as source, as destination}.
 *
 *     update-map br0 8 1 key 10 1 2 3 value 1 0 0 0
 */
#include "oko.h"

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__type(value, uint32_t);
	__uint(max_entries, 500000); /* addresses */
	__uint(map_extra, 11);       /* hash functions */
} blocked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, uint32_t);
	__type(value, uint32_t);
	__uint(max_entries, 1024);
} excepted SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, uint32_t);
	__type(value, uint64_t);
	__uint(max_entries, 2);
} hits SEC(".maps");

#define AS_SOURCE 0
#define AS_DESTINATION 1

OKO_INLINE int is_blocked(uint32_t address)
{
	return ubpf_map_lookup(&blocked, &address) && !ubpf_map_lookup(&excepted, &address);
}

OKO_INLINE void count(uint32_t what)
{
	uint64_t *packets = ubpf_map_lookup(&hits, &what);
	if (packets)
		*packets += 1;
}

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	if (oko_parse_ipv4(pkt, pkt_len, &ip) <= 0)
		return 0;
	if (is_blocked(ip.header->source)) {
		count(AS_SOURCE);
		return 1;
	}
	if (is_blocked(ip.header->destination)) {
		count(AS_DESTINATION);
		return 1;
	}
	return 0;
}
