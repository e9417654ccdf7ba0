/*
 * Stateless firewall: matches the packets that a small server network should see. No maps: each packet is judged alone.
 *
 *     priority=10,filter_prog=2,actions=output:2
 *     priority=0,actions=drop
 *
 * Passes: ARP; ICMP echo, unreachable and time exceeded; TCP to the public services, and TCP that is part of a connection
 * (ACK set, no SYN); UDP to DNS and answers from DNS and NTP. Refuses: malformed headers, sources that cannot be (loopback, multicast,
 * 0/8), impossible TCP flags, fragments too small to judge, source routing (any IPv4 options), IPv6.
 */
#include "oko.h"

#define PORT_SSH 22
#define PORT_DNS 53
#define PORT_HTTP 80
#define PORT_NTP 123
#define PORT_HTTPS 443

OKO_INLINE int is_public_tcp_service(uint16_t port)
{
	return port == PORT_SSH || port == PORT_HTTP || port == PORT_HTTPS;
}

/* RFC 1122 section 3.2.1.3: addresses that never are a source on the wire. */
OKO_INLINE int is_impossible_source(uint32_t address)
{
	uint8_t first = address & 0xff;
	return first == 0 || first == 127 || first >= 224;
}

OKO_INLINE int has_impossible_flags(uint8_t flags)
{
	uint8_t kind = flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK);
	return kind == 0 || kind == TCP_FIN || (flags & (TCP_SYN | TCP_FIN)) == (TCP_SYN | TCP_FIN) ||
	       (flags & (TCP_SYN | TCP_RST)) == (TCP_SYN | TCP_RST);
}

OKO_INLINE uint64_t passes_tcp(const struct tcp_header *tcp)
{
	if (tcp->data_offset >> 4 < 5 || has_impossible_flags(tcp->flags))
		return 0;
	if ((tcp->flags & (TCP_SYN | TCP_ACK)) == TCP_ACK || tcp->flags & TCP_RST)
		return 1;
	if (tcp->flags & TCP_ACK)
		return 1; /* the answer to a connection from inside */
	return is_public_tcp_service(oko_ntohs(tcp->destination));
}

OKO_INLINE uint64_t passes_udp(const struct udp_header *udp)
{
	if (oko_ntohs(udp->length) < sizeof(struct udp_header))
		return 0;
	return udp->destination == oko_htons(PORT_DNS) || udp->source == oko_htons(PORT_DNS) ||
	       udp->source == oko_htons(PORT_NTP);
}

OKO_INLINE uint64_t passes_icmp(const struct icmp_header *icmp)
{
	switch (icmp->type) {
	case 0:  /* echo reply */
	case 3:  /* destination unreachable */
	case 8:  /* echo */
	case 11: /* time exceeded */
		return 1;
	default:
		return 0;
	}
}

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	struct oko_ipv4 ip;
	int found = oko_parse_ipv4(pkt, pkt_len, &ip);
	if (found < 0)
		return 0;
	if (found == 0)
		return oko_fits(pkt_len, 0, struct ethernet_header) &&
		       oko_at(pkt, 0, struct ethernet_header)->type == oko_htons(ETHERTYPE_ARP);
	if ((ip.header->version_ihl & 0x0f) != 5 || is_impossible_source(ip.header->source))
		return 0;
	/* The first fragment was judged; an offset of 8 bytes would overwrite the header it was judged by (RFC 3128). */
	if (oko_is_later_fragment(ip.header))
		return (ip.header->fragment & oko_htons(IPV4_FRAGMENT_OFFSET)) != oko_htons(1);

	switch (ip.header->protocol) {
	case PROTOCOL_TCP:
		return oko_fits(pkt_len, ip.payload, struct tcp_header) && passes_tcp(oko_at(pkt, ip.payload, struct tcp_header));
	case PROTOCOL_UDP:
		return oko_fits(pkt_len, ip.payload, struct udp_header) && passes_udp(oko_at(pkt, ip.payload, struct udp_header));
	case PROTOCOL_ICMP:
		return oko_fits(pkt_len, ip.payload, struct icmp_header) && passes_icmp(oko_at(pkt, ip.payload, struct icmp_header));
	default:
		return 0;
	}
}
