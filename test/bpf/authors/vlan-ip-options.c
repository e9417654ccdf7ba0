/* Matches IPv4 packets behind up to two VLAN tags that carry the Router Alert option (RFC 2113) and go to UDP port 5000. */
#include "oko.h"

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_ROUTER_ALERT 148

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	uint8_t *data = pkt;
	uint64_t offset = sizeof(struct ethernet_header);
	if (pkt_len < offset)
		return 0;
	uint16_t type = ((struct ethernet_header *)pkt)->type;
	for (int tags = 0; tags < 2; tags++) {
		if (type != oko_htons(ETHERTYPE_VLAN) && type != oko_htons(ETHERTYPE_QINQ))
			break;
		if (offset + sizeof(struct vlan_header) > pkt_len)
			return 0;
		struct vlan_header *vlan = (struct vlan_header *)(data + offset);
		type = vlan->type;
		offset += sizeof(*vlan);
	}
	if (type != oko_htons(ETHERTYPE_IPV4) || offset + sizeof(struct ipv4_header) > pkt_len)
		return 0;

	struct ipv4_header *ip = (struct ipv4_header *)(data + offset);
	uint64_t end = offset + (ip->version_ihl & 0x0f) * 4;
	if (ip->protocol != PROTOCOL_UDP || end < offset + sizeof(*ip) || end + sizeof(struct udp_header) > pkt_len)
		return 0;
	struct udp_header *udp = (struct udp_header *)(data + end);
	if (udp->destination != oko_htons(5000))
		return 0;

	uint64_t at = offset + sizeof(*ip);
	for (int i = 0; i < 40 && at < end; i++) {
		uint8_t kind = data[at];
		if (kind == OPTION_END)
			return 0;
		if (kind == OPTION_ROUTER_ALERT)
			return 1;
		if (kind == OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= end)
			return 0;
		uint8_t length = data[at + 1];
		if (length < 2)
			return 0;
		at += length;
	}
	return 0;
}
