/*
 * Stateful firewall: matches packets of connections that were opened from inside, and no others.
 *
 *     priority=10,filter_prog=3,actions=NORMAL
 *     priority=0,actions=drop
 *
 * The program sees only the packet, so "inside" is an address prefix: map 0, `inside`, element 0, {address, mask} as bytes of a
 * packet; mask 0, as at the start, means 10.0.0.0/8. For 192.168.1.0/24:
 *
 *     update-map br0 3 0 key 0 0 0 0 value 192 168 1 0 255 255 255 0
 *
 * A TCP SYN or a UDP packet from inside to outside opens a connection; then packets pass both ways until it was silent too long, or
 * was closed: RST ends it at once, FIN from both sides leaves it a short time for the last packets. Traffic between two inside
 * addresses and what is not IPv4 (ARP) always passes. Fragments after the first, cut and malformed packets, and other
 * protocols do not.
 */
#include "oko.h"

#define NS_PER_SECOND 1000000000ULL
#define OPENING_TIMEOUT (30 * NS_PER_SECOND)
#define TCP_TIMEOUT (3600 * NS_PER_SECOND)
#define UDP_TIMEOUT (60 * NS_PER_SECOND)
#define CLOSING_TIMEOUT (10 * NS_PER_SECOND)

/* What was seen of a connection. */
#define SEEN_ANSWER 0x1
#define SEEN_FIN_INSIDE 0x2
#define SEEN_FIN_OUTSIDE 0x4
#define SEEN_BOTH_FINS (SEEN_FIN_INSIDE | SEEN_FIN_OUTSIDE)

struct prefix {
	uint32_t address;
	uint32_t mask;
};

/* From the inside's point of view, whichever way the packet goes. */
struct connection {
	uint32_t inside_address;
	uint32_t outside_address;
	uint16_t inside_port;
	uint16_t outside_port;
	uint32_t protocol;
};

struct state {
	uint64_t last_packet_ns;
	uint64_t seen;
};

struct ubpf_map_def SEC("maps") inside = {
	.type = UBPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(uint32_t),
	.value_size = sizeof(struct prefix),
	.max_entries = 1,
};

struct ubpf_map_def SEC("maps") connections = {
	.type = UBPF_MAP_TYPE_LRU_HASHMAP,
	.key_size = sizeof(struct connection),
	.value_size = sizeof(struct state),
	.max_entries = 65536,
};

OKO_INLINE uint64_t timeout_of(uint32_t protocol, uint64_t seen)
{
	if (protocol == PROTOCOL_UDP)
		return UDP_TIMEOUT;
	if ((seen & SEEN_BOTH_FINS) == SEEN_BOTH_FINS)
		return CLOSING_TIMEOUT;
	return seen & SEEN_ANSWER ? TCP_TIMEOUT : OPENING_TIMEOUT;
}

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	int found = oko_parse_ipv4(pkt, pkt_len, &ip);
	if (found <= 0)
		return found == 0;

	uint32_t address = OKO_IPV4(10, 0, 0, 0);
	uint32_t mask = OKO_IPV4(255, 0, 0, 0);
	uint32_t zero = 0;
	const struct prefix *prefix = ubpf_map_lookup(&inside, &zero);
	if (prefix && prefix->mask != 0) {
		address = prefix->address;
		mask = prefix->mask;
	}
	int from_inside = (ip.header->source & mask) == (address & mask);
	int to_inside = (ip.header->destination & mask) == (address & mask);
	if (from_inside == to_inside)
		return from_inside;

	uint8_t protocol = ip.header->protocol;
	if (oko_is_later_fragment(ip.header) || (protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP))
		return 0;
	uint8_t flags = 0;
	uint16_t source_port;
	uint16_t destination_port;
	if (protocol == PROTOCOL_TCP) {
		if (!oko_fits(pkt_len, ip.payload, struct tcp_header))
			return 0;
		const struct tcp_header *tcp = oko_at(pkt, ip.payload, struct tcp_header);
		flags = tcp->flags;
		source_port = tcp->source;
		destination_port = tcp->destination;
	} else {
		if (!oko_fits(pkt_len, ip.payload, struct udp_header))
			return 0;
		const struct udp_header *udp = oko_at(pkt, ip.payload, struct udp_header);
		source_port = udp->source;
		destination_port = udp->destination;
	}

	struct connection connection = {
		.inside_address = from_inside ? ip.header->source : ip.header->destination,
		.outside_address = from_inside ? ip.header->destination : ip.header->source,
		.inside_port = from_inside ? source_port : destination_port,
		.outside_port = from_inside ? destination_port : source_port,
		.protocol = protocol,
	};
	uint64_t now = ubpf_time_get_ns();
	int opens = from_inside && (protocol == PROTOCOL_UDP || (flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN);
	struct state *state = ubpf_map_lookup(&connections, &connection);
	/* A clock that was set back makes the difference negative: the connection is taken as fresh. */
	int alive = state && (int64_t)(now - state->last_packet_ns) < (int64_t)timeout_of(protocol, state->seen);
	if (!alive || (opens && (state->seen & SEEN_BOTH_FINS) == SEEN_BOTH_FINS)) {
		if (!opens)
			return 0;
		struct state fresh = {.last_packet_ns = now, .seen = 0};
		return ubpf_map_update(&connections, &connection, &fresh) == 0;
	}

	if (flags & TCP_RST) {
		ubpf_map_delete(&connections, &connection);
		return 1;
	}
	/* Threads may see the two sides at once; a lost bit only makes the timeout longer. */
	uint64_t seen = state->seen;
	if (!from_inside)
		seen |= SEEN_ANSWER;
	if (flags & TCP_FIN)
		seen |= from_inside ? SEEN_FIN_INSIDE : SEEN_FIN_OUTSIDE;
	state->seen = seen;
	state->last_packet_ns = now;
	return 1;
}
