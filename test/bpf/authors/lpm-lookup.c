/* Matches what comes from a network that the map `networks` allows, by the longest prefix that it has of the address. */
#include "oko.h"

struct network {
	uint32_t prefix_bits;
	uint32_t address;
};

struct verdict {
	uint8_t allowed;
	uint8_t reserved[7];
	uint64_t packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__type(key, struct network);
	__type(value, struct verdict);
	__uint(max_entries, 256);
} networks SEC(".maps");

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	if (oko_parse_ipv4(pkt, pkt_len, &ip) != 1)
		return 0;
	struct network network = { .prefix_bits = 32, .address = ip.header->source };
	struct verdict *verdict = ubpf_map_lookup(&networks, &network);
	if (!verdict)
		return 0;
	__sync_fetch_and_add(&verdict->packets, 1);
	return verdict->allowed;
}
