/* The length is compared as a signed number with one that may be negative.
 * Built as it is, the verifier answers BPF_VERIFIER_PACKET_BOUNDS; with -DFIXED it is accepted. */
#include "oko.h"

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	if (pkt_len < 4)
		return 0;
	int least = *(int *)pkt;
#ifdef FIXED
	if (least < 21 || pkt_len < (uint64_t)least)
#else
	if ((int64_t)pkt_len < least)
#endif
		return 0;
	return *(uint8_t *)(pkt + 20);
}
