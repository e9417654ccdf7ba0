/* A header of variable length is passed over without a check of what lies behind it.
 * Built as it is, the verifier answers BPF_VERIFIER_PACKET_BOUNDS; with -DFIXED it is accepted. */
#include "oko.h"

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	if (pkt_len < 34)
		return 0;
	uint8_t *bytes = pkt;
	uint64_t l4 = 14 + (bytes[14] & 15) * 4;
#ifdef FIXED
	if (l4 + 2 > pkt_len)
		return 0;
#endif
	return bytes[l4 + 1] == 53;
}
