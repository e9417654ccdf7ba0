/* A header is read, but only the header before it was checked to be there.
 * Built as it is, the verifier answers BPF_VERIFIER_PACKET_BOUNDS; with -DFIXED it is accepted. */
#include "oko.h"

uint64_t entry(void *pkt, uint64_t pkt_len)
{
#ifdef FIXED
	if (pkt_len < 34)
#else
	if (pkt_len < 14)
#endif
		return 0;
	uint8_t *ip = pkt + 14;
	return ip[9] == 17;
}
