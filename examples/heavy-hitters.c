/*
 * Heavy hitters: matches the packets of IPv4 sources that sent more than a threshold, in a fixed 256 KiB however many
 * sources there are.
 *
 *     priority=10,ip,filter_prog=7,actions=set_queue:1,NORMAL
 *     priority=0,actions=NORMAL
 *
 * A count-min sketch never counts too little; with 4 rows of 16,384 counters and N packets it counts more than N / 6,000 too
 * much for one source in 50. Packets count in windows: the number of the window is part of what is counted, so a source starts
 * anew in each; empty the sketch (map 1) now and then, before the counts of windows long past fill it up.
 *
 * Map 0, `settings`, element 0, is {threshold in packets, window in seconds}; zeros mean 10,000 in 10 seconds.
 */
#include "oko.h"

#define DEFAULT_THRESHOLD 10000
#define DEFAULT_WINDOW_SECONDS 10
#define NS_PER_SECOND 1000000000ULL

struct settings {
	uint64_t threshold;
	uint64_t window_seconds;
};

struct item {
	uint32_t source;
	uint32_t window;
};

struct ubpf_map_def SEC("maps") settings = {
	.type = UBPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(uint32_t),
	.value_size = sizeof(struct settings),
	.max_entries = 1,
};

struct ubpf_map_def SEC("maps") sketch = {
	.type = UBPF_MAP_TYPE_COUNTMIN,
	.key_size = sizeof(struct item),
	.value_size = sizeof(uint32_t),
	.max_entries = 16384,
	.nb_hash_functions = 4,
};

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	if (oko_parse_ipv4(pkt, pkt_len, &ip) <= 0)
		return 0;

	uint64_t threshold = DEFAULT_THRESHOLD;
	uint64_t window_seconds = DEFAULT_WINDOW_SECONDS;
	uint32_t zero = 0;
	const struct settings *set = ubpf_map_lookup(&settings, &zero);
	if (set && set->threshold != 0)
		threshold = set->threshold;
	if (set && set->window_seconds != 0)
		window_seconds = set->window_seconds;

	struct item item = {
		.source = ip.header->source,
		.window = ubpf_time_get_ns() / (window_seconds * NS_PER_SECOND),
	};
	ubpf_map_add(&sketch, &item);
	const uint32_t *count = ubpf_map_lookup(&sketch, &item);
	return count && *count > threshold;
}
