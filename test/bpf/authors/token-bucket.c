/* Matches as many packets of each flow as its token bucket grants: 10 at once, then 2 a second. Threads share the buckets. */
#include "oko.h"

#define BURST 10
#define NS_A_TOKEN 500000000ull

struct flow {
	uint32_t source;
	uint32_t destination;
	uint16_t source_port;
	uint16_t destination_port;
	uint32_t protocol;
};

struct bucket {
	uint64_t since; /* ns */
	uint64_t spent; /* tokens */
};

struct ubpf_map_def SEC("maps") buckets = {
	.type = UBPF_MAP_TYPE_LRU_HASHMAP,
	.key_size = sizeof(struct flow),
	.value_size = sizeof(struct bucket),
	.max_entries = 4096,
};

static uint64_t granted, refused;

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	if (oko_parse_ipv4(pkt, pkt_len, &ip) != 1 || !oko_fits(pkt_len, ip.payload, struct udp_header))
		return 0;
	const struct udp_header *ports = oko_at(pkt, ip.payload, struct udp_header);
	struct flow flow = {
		.source = ip.header->source,
		.destination = ip.header->destination,
		.source_port = ports->source,
		.destination_port = ports->destination,
		.protocol = ip.header->protocol,
	};
	struct bucket *bucket = ubpf_map_lookup(&buckets, &flow);
	if (!bucket) {
		struct bucket full = { .since = ubpf_time_get_ns() };
		ubpf_map_update(&buckets, &flow, &full);
		bucket = ubpf_map_lookup(&buckets, &flow);
		if (!bucket)
			return 0;
	}
	uint64_t tokens = BURST + (ubpf_time_get_ns() - bucket->since) / NS_A_TOKEN;
	if (bucket->spent >= tokens) {
		__sync_fetch_and_add(&refused, 1);
		return 0;
	}
	__sync_fetch_and_add(&bucket->spent, 1);
	__sync_fetch_and_add(&granted, 1);
	return 1;
}
