/* Matches DNS queries over UDP for a name in the map `blocked`, in lower case with dots; no compression in questions. */
#include "oko.h"

#define MOST_NAME_BYTES 64
#define DNS_HEADER_BYTES 12

struct name {
	char text[MOST_NAME_BYTES];
};

struct ubpf_map_def SEC("maps") blocked = {
	.type = UBPF_MAP_TYPE_HASHMAP,
	.key_size = sizeof(struct name),
	.value_size = sizeof(uint32_t),
	.max_entries = 1024,
};

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	if (oko_parse_ipv4(pkt, pkt_len, &ip) != 1)
		return 0;
	if (ip.header->protocol != PROTOCOL_UDP || oko_is_later_fragment(ip.header))
		return 0;
	if (!oko_fits(pkt_len, ip.payload, struct udp_header))
		return 0;
	if (oko_at(pkt, ip.payload, struct udp_header)->destination != oko_htons(53))
		return 0;

	const uint8_t *data = pkt;
	uint64_t at = ip.payload + sizeof(struct udp_header) + DNS_HEADER_BYTES;
	struct name name = {};
	uint32_t left_of_label = 0;
#pragma clang loop unroll(disable)
	for (uint32_t i = 0; i <= MOST_NAME_BYTES; i++) {
		if (at + i >= pkt_len)
			return 0;
		uint8_t byte = data[at + i];
		if (left_of_label == 0) {
			if (byte == 0)
				return ubpf_map_lookup(&blocked, &name) != NULL;
			if (byte > 63)
				return 0;
			left_of_label = byte;
			if (i == 0)
				continue;
			byte = '.';
		} else {
			left_of_label--;
			if (byte >= 'A' && byte <= 'Z')
				byte |= 0x20;
		}
		if (i > MOST_NAME_BYTES - 1)
			return 0;
		name.text[i - 1] = byte;
	}
	return 0;
}
