/*
 * TCP fingerprint: recognises a sender's TCP implementation by the first packet of a connection (as p0f does) and matches
 * the SYNs of the fingerprints that the operator listed.
 *
 *     priority=20,tcp,filter_prog=5,actions=drop          scanners and bots that are on the list
 *     priority=0,actions=NORMAL
 *
 * A fingerprint is ubpf_hash (lookup3, seed 0) of `struct traits`. Map 0, `seen`, counts the SYNs of each fingerprint, to find
 * out which to list; map 1, `listed`, holds the ones that match; its values mean nothing:
 *
 *     update-map br0 5 1 key 46 17 201 8 value 1 0 0 0
 */
#include "oko.h"

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_MSS 2
#define OPTION_WINDOW_SCALE 3
#define MOST_OPTIONS 12 /* of those that real stacks send; one that needs more is cut here */
#define MOST_OPTION_BYTES 40

struct traits {
	uint32_t window;
	uint32_t mss;
	uint8_t hops_limit; /* TTL rounded up to what senders start with: 32, 64, 128, 255 */
	uint8_t dont_fragment;
	uint8_t window_scale;
	uint8_t option_count;
	uint8_t options[MOST_OPTIONS]; /* kinds, in order */
};

struct ubpf_map_def SEC("maps") seen = {
	.type = UBPF_MAP_TYPE_LRU_HASHMAP,
	.key_size = sizeof(uint32_t),
	.value_size = sizeof(uint64_t),
	.max_entries = 4096,
};

struct ubpf_map_def SEC("maps") listed = {
	.type = UBPF_MAP_TYPE_HASHMAP,
	.key_size = sizeof(uint32_t),
	.value_size = sizeof(uint32_t),
	.max_entries = 1024,
};

OKO_INLINE uint8_t first_hop_limit(uint8_t ttl)
{
	return ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
}

/* Reads the options' kinds in order, and the values of two of them; 0 when they are malformed. */
OKO_INLINE int read_options(const void *pkt, uint64_t pkt_len, uint64_t at, uint64_t end, struct traits *traits)
{
#pragma clang loop unroll(disable)
	for (uint32_t i = 0; i < MOST_OPTIONS; i++) {
		if (at >= end || at >= pkt_len)
			return at == end;
		const uint8_t *option = oko_at(pkt, at, uint8_t);
		uint8_t kind = option[0];
		traits->options[i] = kind;
		traits->option_count = i + 1;
		if (kind == OPTION_END)
			return 1;
		if (kind == OPTION_NOP) {
			at += 1;
			continue;
		}
		if (at + 2 > pkt_len)
			return 0;
		uint8_t length = option[1];
		if (length < 2 || length > MOST_OPTION_BYTES)
			return 0;
		if (kind == OPTION_MSS && length == 4) {
			if (at + 4 > pkt_len)
				return 0;
			traits->mss = option[2] << 8 | option[3];
		} else if (kind == OPTION_WINDOW_SCALE && length == 3) {
			if (at + 3 > pkt_len)
				return 0;
			traits->window_scale = option[2];
		}
		at += length;
	}
	return 1;
}

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	if (oko_parse_ipv4(pkt, pkt_len, &ip) <= 0 || ip.header->protocol != PROTOCOL_TCP ||
	    oko_is_later_fragment(ip.header) || !oko_fits(pkt_len, ip.payload, struct tcp_header))
		return 0;
	const struct tcp_header *tcp = oko_at(pkt, ip.payload, struct tcp_header);
	if ((tcp->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN || tcp->data_offset >> 4 < 5)
		return 0;

	struct traits traits = {
		.window = oko_ntohs(tcp->window),
		.hops_limit = first_hop_limit(ip.header->ttl),
		.dont_fragment = (ip.header->fragment & oko_htons(0x4000)) != 0,
	};
	uint64_t options = ip.payload + sizeof(struct tcp_header);
	if (!read_options(pkt, pkt_len, options, ip.payload + (tcp->data_offset >> 4) * 4, &traits))
		return 0;

	uint32_t fingerprint = ubpf_hash(&traits, sizeof(traits));
	uint64_t *count = ubpf_map_lookup(&seen, &fingerprint);
	if (count) {
		__sync_fetch_and_add(count, 1);
	} else {
		uint64_t one = 1;
		ubpf_map_update(&seen, &fingerprint, &one);
	}
	return ubpf_map_lookup(&listed, &fingerprint) != NULL;
}
