/*
 * Port knocking: the protected port answers only a source that has sent TCP SYNs to the secret ports in order.
 *
 *     priority=30,tcp,filter_prog=6,actions=NORMAL        packets to the protected port from who has knocked
 *     priority=20,tcp,tp_dst=22,actions=drop
 *     priority=0,actions=NORMAL
 *
 * The program must see every TCP packet, knocks too; only packets to the protected port can match. A wrong knock between right
 * ones starts over; a knock must come within KNOCK_TIMEOUT of the one before. The door stays open for OPEN_TIME after the last packet
 * that passed through.
 */
#include "oko.h"

#define NS_PER_SECOND 1000000000ULL
#define KNOCK_TIMEOUT (10 * NS_PER_SECOND)
#define OPEN_TIME (60 * NS_PER_SECOND)
#define PROTECTED_PORT 22
#define KNOCKS 3

/* In read-only data: another sequence needs no other code. */
static const volatile uint16_t knock_ports[KNOCKS] = {7000, 8000, 9000};

struct visitor {
	uint64_t last_ns;
	uint64_t knocks; /* right ones in a row; KNOCKS: the door is open */
};

struct ubpf_map_def SEC("maps") visitors = {
	.type = UBPF_MAP_TYPE_LRU_HASHMAP,
	.key_size = sizeof(uint32_t),
	.value_size = sizeof(struct visitor),
	.max_entries = 16384,
};

/* A clock that was set back counts as no time passed. */
OKO_INLINE int is_within(uint64_t now, uint64_t since, uint64_t limit)
{
	return (int64_t)(now - since) < (int64_t)limit;
}

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	if (oko_parse_ipv4(pkt, pkt_len, &ip) <= 0 || ip.header->protocol != PROTOCOL_TCP ||
	    oko_is_later_fragment(ip.header) || !oko_fits(pkt_len, ip.payload, struct tcp_header))
		return 0;
	const struct tcp_header *tcp = oko_at(pkt, ip.payload, struct tcp_header);
	uint32_t source = ip.header->source;
	uint16_t port = oko_ntohs(tcp->destination);
	uint64_t now = ubpf_time_get_ns();
	struct visitor *visitor = ubpf_map_lookup(&visitors, &source);

	if (port == PROTECTED_PORT) {
		if (!visitor || visitor->knocks != KNOCKS || !is_within(now, visitor->last_ns, OPEN_TIME))
			return 0;
		visitor->last_ns = now;
		return 1;
	}
	if ((tcp->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return 0;
	if (visitor && visitor->knocks < KNOCKS && is_within(now, visitor->last_ns, KNOCK_TIMEOUT)) {
		uint64_t knocks = visitor->knocks;
		if (port == knock_ports[knocks])
			visitor->knocks = knocks + 1;
		else
			visitor->knocks = port == knock_ports[0];
		visitor->last_ns = now;
		return 0;
	}
	/* Other traffic of a visitor with the door open does not close it. */
	if (visitor && visitor->knocks == KNOCKS && is_within(now, visitor->last_ns, OPEN_TIME))
		return 0;
	if (port == knock_ports[0]) {
		struct visitor first = {.last_ns = now, .knocks = 1};
		ubpf_map_update(&visitors, &source, &first);
	}
	return 0;
}
