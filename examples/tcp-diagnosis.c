/*
 * TCP diagnosis: keeps 48 bytes of state for each direction of a TCP connection and matches the packets that show
 * trouble (a retransmission, a segment out of order, a closed window, a reset), so that they can be mirrored or counted.
 *
 *     priority=10,tcp,filter_prog=4,actions=output:9,NORMAL
 *     priority=0,actions=NORMAL
 *
 * Map 0, `directions`, answers what happened: its key is a direction {source, destination, source port, destination port} as in
 * the packet, its value `struct diagnosis`.
 */
#include "oko.h"

#define NS_PER_US 1000ULL

struct direction {
	uint32_t source;
	uint32_t destination;
	uint16_t source_port;
	uint16_t destination_port;
};

struct diagnosis {
	uint64_t last_packet_ns;
	uint64_t payload_bytes;
	uint32_t packets;
	uint32_t next_sequence; /* the first byte not yet seen */
	uint32_t retransmissions;
	uint32_t out_of_order; /* segments that left a gap before them */
	uint32_t closed_windows;
	uint32_t resets;
	uint32_t handshake_us; /* from this side's SYN to the other side's SYN+ACK, on the side that answered */
	uint32_t longest_silence_us;
};

_Static_assert(sizeof(struct diagnosis) == 48, "the state of a direction");

struct ubpf_map_def SEC("maps") directions = {
	.type = UBPF_MAP_TYPE_LRU_HASHMAP,
	.key_size = sizeof(struct direction),
	.value_size = sizeof(struct diagnosis),
	.max_entries = 16384,
};

OKO_INLINE uint32_t microseconds(uint64_t ns)
{
	uint64_t us = ns / NS_PER_US;
	return us > 0xffffffff ? 0xffffffff : us;
}

/* The start of a direction's state. A SYN+ACK answers the SYN of the other direction: how long did that take? */
OKO_INLINE void begin(const struct direction *direction, uint64_t now, uint8_t flags, uint32_t next_sequence,
		      uint64_t payload_bytes)
{
	struct diagnosis fresh = {
		.last_packet_ns = now,
		.payload_bytes = payload_bytes,
		.packets = 1,
		.next_sequence = next_sequence,
		.resets = flags & TCP_RST ? 1 : 0,
	};
	if ((flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
		struct direction back = {
			.source = direction->destination,
			.destination = direction->source,
			.source_port = direction->destination_port,
			.destination_port = direction->source_port,
		};
		const struct diagnosis *asked = ubpf_map_lookup(&directions, &back);
		if (asked && now > asked->last_packet_ns)
			fresh.handshake_us = microseconds(now - asked->last_packet_ns);
	}
	ubpf_map_update(&directions, direction, &fresh);
}

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	if (oko_parse_ipv4(pkt, pkt_len, &ip) <= 0 || ip.header->protocol != PROTOCOL_TCP ||
	    oko_is_later_fragment(ip.header) || !oko_fits(pkt_len, ip.payload, struct tcp_header))
		return 0;
	const struct tcp_header *tcp = oko_at(pkt, ip.payload, struct tcp_header);
	uint32_t header_bytes = (ip.header->version_ihl & 0x0f) * 4 + (tcp->data_offset >> 4) * 4;
	uint32_t total_bytes = oko_ntohs(ip.header->total_length);
	if (total_bytes < header_bytes)
		return 0;

	uint8_t flags = tcp->flags;
	uint32_t payload_bytes = total_bytes - header_bytes;
	uint32_t sequence = oko_ntohl(tcp->sequence);
	/* SYN and FIN take a sequence number each (RFC 9293 section 3.4). */
	uint32_t length = payload_bytes + (flags & TCP_SYN ? 1 : 0) + (flags & TCP_FIN ? 1 : 0);
	struct direction direction = {
		.source = ip.header->source,
		.destination = ip.header->destination,
		.source_port = tcp->source,
		.destination_port = tcp->destination,
	};
	uint64_t now = ubpf_time_get_ns();
	struct diagnosis *seen = ubpf_map_lookup(&directions, &direction);
	/* A SYN for another sequence number than the last one's opens a new connection on the same ports. */
	if (!seen || (flags & TCP_SYN && sequence + 1 != seen->next_sequence)) {
		begin(&direction, now, flags, sequence + length, payload_bytes);
		return (flags & TCP_RST) != 0;
	}

	uint64_t trouble = 0;
	if (now > seen->last_packet_ns) {
		uint32_t silence_us = microseconds(now - seen->last_packet_ns);
		if (silence_us > seen->longest_silence_us)
			seen->longest_silence_us = silence_us;
	}
	seen->last_packet_ns = now;
	seen->packets++;
	seen->payload_bytes += payload_bytes;
	if (flags & TCP_RST) {
		seen->resets++;
		return 1;
	}
	if (length > 0) {
		/* Sequence numbers wrap: what counts is the sign of the difference. */
		int32_t ahead = sequence - seen->next_sequence;
		if (ahead < 0) {
			seen->retransmissions++;
			trouble = 1;
		} else if (ahead > 0) {
			seen->out_of_order++;
			trouble = 1;
		}
		if ((int32_t)(sequence + length - seen->next_sequence) > 0)
			seen->next_sequence = sequence + length;
	}
	if (tcp->window == 0) {
		seen->closed_windows++;
		trouble = 1;
	}
	return trouble;
}
