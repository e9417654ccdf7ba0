/* Matches packets of flows that a count-min sketch has seen more than 100 times; IPv4 and IPv6. */
#include "oko.h"

#define MANY 100

struct ubpf_map_def SEC("maps") sketch = {
	.type = UBPF_MAP_TYPE_COUNTMIN,
	.key_size = 32,
	.value_size = sizeof(uint32_t),
	.max_entries = 1024,
	.nb_hash_functions = 4,
};

struct flow {
	uint32_t source[4];
	uint32_t destination[4];
};

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct flow flow = {};
	struct oko_ipv4 ip;
	if (oko_parse_ipv4(pkt, pkt_len, &ip) == 1) {
		flow.source[0] = ip.header->source;
		flow.destination[0] = ip.header->destination;
	} else {
		uint64_t offset = sizeof(struct ethernet_header);
		if (!oko_fits(pkt_len, offset, struct ipv6_header))
			return 0;
		if (oko_at(pkt, 0, struct ethernet_header)->type != oko_htons(ETHERTYPE_IPV6))
			return 0;
		const struct ipv6_header *ipv6 = oko_at(pkt, offset, struct ipv6_header);
		for (int i = 0; i < 4; i++) {
			flow.source[i] = ipv6->source[i];
			flow.destination[i] = ipv6->destination[i];
		}
	}
	ubpf_map_add(&sketch, &flow);
	uint32_t *count = ubpf_map_lookup(&sketch, &flow);
	return count && *count > MANY;
}
