/*
 * Rate limiter: matches a packet while its IPv4 source keeps to its budget of packets in a time window.
 *
 *     priority=10,filter_prog=1,actions=output:2
 *     priority=0,actions=drop
 *
 * Each source address has one budget for each IP protocol. Packets that are not IPv4 match (ARP must get through);
 * cut or malformed IPv4 does not.
 *
 * Map 0, `limits`, is the configuration: an array whose index is the IP protocol number (1 ICMP, 6 TCP, 17 UDP). Its value is
 * {packets, seconds}; seconds = 0, as at the start, means the default of DEFAULT_PACKETS in DEFAULT_SECONDS. With the program
 * loaded as number 1,
 *
 *     update-map br0 1 0 key 1 0 0 0 value 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0
 *
 * lets each source send 1 ICMP packet in 1 second, and {0, 1} lets none pass.
 */
#include "oko.h"

#define DEFAULT_PACKETS 100
#define DEFAULT_SECONDS 1
#define NS_PER_SECOND 1000000000ULL

struct limit {
	uint64_t packets;
	uint64_t seconds;
};

struct source {
	uint32_t address;
	uint32_t protocol;
};

struct budget {
	uint64_t window_start_ns;
	uint64_t packets; /* matched since window_start_ns */
};

struct ubpf_map_def SEC("maps") limits = {
	.type = UBPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(uint32_t),
	.value_size = sizeof(struct limit),
	.max_entries = 256,
};

/* Full, it forgets the source that was silent longest: an attacker who forges sources cannot lock new ones out. */
struct ubpf_map_def SEC("maps") budgets = {
	.type = UBPF_MAP_TYPE_LRU_HASHMAP,
	.key_size = sizeof(struct source),
	.value_size = sizeof(struct budget),
	.max_entries = 65536,
};

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	int found = oko_parse_ipv4(pkt, pkt_len, &ip);
	if (found <= 0)
		return found == 0;

	struct source source = {.address = ip.header->source, .protocol = ip.header->protocol};
	uint64_t allowed = DEFAULT_PACKETS;
	uint64_t window_ns = DEFAULT_SECONDS * NS_PER_SECOND;
	const struct limit *limit = ubpf_map_lookup(&limits, &source.protocol);
	if (limit && limit->seconds != 0) {
		allowed = limit->packets;
		window_ns = limit->seconds * NS_PER_SECOND;
	}
	if (allowed == 0)
		return 0;

	uint64_t now = ubpf_time_get_ns();
	struct budget *budget = ubpf_map_lookup(&budgets, &source);
	if (!budget) {
		struct budget first = {.window_start_ns = now, .packets = 1};
		return ubpf_map_update(&budgets, &source, &first) == 0;
	}
	/* Unsigned: a clock that was set back starts a new window too. */
	if (now - budget->window_start_ns >= window_ns) {
		budget->window_start_ns = now;
		budget->packets = 1;
		return 1;
	}
	if (budget->packets >= allowed)
		return 0;
	/* Threads may serve one source at once; between the check and this, each can let one packet too many pass. */
	__sync_fetch_and_add(&budget->packets, 1);
	return 1;
}
