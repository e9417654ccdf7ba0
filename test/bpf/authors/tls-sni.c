/*
 * Matches the ClientHello of a TLS connection (RFC 8446 section 4.1.2) that asks, by Server Name Indication (RFC 6066), for
 * a name in the map `blocked`. Looks at the first 512 bytes behind the TCP header.
 */
#include "oko.h"

#define MOST_BYTES 512
#define MOST_EXTENSIONS 32
#define MOST_NAME_BYTES 64

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(key_size, MOST_NAME_BYTES);
	__type(value, uint32_t);
	__uint(max_entries, 1024);
} blocked SEC(".maps");

static inline __attribute__((always_inline)) int byte_at(const uint8_t *data, uint64_t end, uint64_t at)
{
	return at < end ? data[at] : -1;
}

static inline __attribute__((always_inline)) int word_at(const uint8_t *data, uint64_t end, uint64_t at)
{
	return at + 1 < end ? data[at] << 8 | data[at + 1] : -1;
}

static __attribute__((noinline)) uint64_t lookup_name(const uint8_t *data, uint64_t pkt_len, uint64_t at, uint64_t length)
{
	uint8_t name[MOST_NAME_BYTES] = {};
	if (length > MOST_NAME_BYTES || at > 0xffff)
		return 0;
#pragma clang loop unroll(disable)
	for (uint64_t i = 0; i < length; i++) {
		if (at + i >= pkt_len)
			return 0;
		name[i] = data[at + i];
	}
	return ubpf_map_lookup(&blocked, name) != NULL;
}

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	if (oko_parse_ipv4(pkt, pkt_len, &ip) != 1 || ip.header->protocol != PROTOCOL_TCP)
		return 0;
	if (!oko_fits(pkt_len, ip.payload, struct tcp_header))
		return 0;
	const struct tcp_header *tcp = oko_at(pkt, ip.payload, struct tcp_header);
	const uint8_t *data = pkt;
	uint64_t at = ip.payload + (tcp->data_offset >> 4) * 4;
	uint64_t end = at + MOST_BYTES;
	if (end > pkt_len)
		end = pkt_len;

	/* Record of type handshake, 5 bytes; ClientHello, 4; version and random, 34. */
	if (byte_at(data, end, at) != 22 || byte_at(data, end, at + 5) != 1)
		return 0;
	at += 5 + 4 + 34;
	int session = byte_at(data, end, at);
	if (session < 0 || session > 32)
		return 0;
	at += 1 + session;
	int ciphers = word_at(data, end, at);
	if (ciphers < 0 || ciphers > MOST_BYTES)
		return 0;
	at += 2 + ciphers;
	int compressions = byte_at(data, end, at);
	if (compressions < 0)
		return 0;
	at += 1 + compressions + 2;

#pragma clang loop unroll(disable)
	for (int i = 0; i < MOST_EXTENSIONS; i++) {
		int type = word_at(data, end, at);
		int length = word_at(data, end, at + 2);
		if (type < 0 || length < 0 || length > MOST_BYTES)
			return 0;
		if (type == 0) {
			/* A list of names; the first is a host's: type 0, then its length. */
			int name_bytes = word_at(data, end, at + 7);
			if (name_bytes < 1)
				return 0;
			return lookup_name(data, pkt_len, at + 9, name_bytes);
		}
		at += 4 + length;
	}
	return 0;
}
