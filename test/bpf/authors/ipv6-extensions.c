/* Matches TCP to port 443 in IPv6, whatever extension headers come before it (RFC 8200 section 4). */
#include "oko.h"

#define MOST_EXTENSIONS 8
#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define AUTHENTICATION 51
#define DESTINATION 60

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	if (pkt_len < sizeof(struct ethernet_header) + sizeof(struct ipv6_header))
		return 0;
	const struct ethernet_header *ethernet = pkt;
	if (ethernet->type != oko_htons(ETHERTYPE_IPV6))
		return 0;
	const struct ipv6_header *ip = (const void *)(ethernet + 1);
	uint8_t next = ip->next_header;
	uint64_t offset = sizeof(*ethernet) + sizeof(*ip);

	for (int i = 0; i < MOST_EXTENSIONS; i++) {
		if (next == PROTOCOL_TCP) {
			if (!oko_fits(pkt_len, offset, struct tcp_header))
				return 0;
			return oko_at(pkt, offset, struct tcp_header)->destination == oko_htons(443);
		}
		if (next != HOP_BY_HOP && next != ROUTING && next != FRAGMENT && next != AUTHENTICATION && next != DESTINATION)
			return 0;
		if (offset + 8 > pkt_len)
			return 0;
		const uint8_t *extension = (const uint8_t *)pkt + offset;
		if (next == FRAGMENT) {
			/* Only the first fragment has the ports. */
			if (extension[2] != 0 || (extension[3] & 0xf8) != 0)
				return 0;
			offset += 8;
		} else if (next == AUTHENTICATION) {
			offset += (extension[1] + 2) * 4;
		} else {
			offset += (extension[1] + 1) * 8;
		}
		next = extension[0];
	}
	return 0;
}
