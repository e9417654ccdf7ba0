/* A filter looks at packets, it does not change them.
 * Built as it is, the verifier answers BPF_VERIFIER_PACKET_WRITE; with -DFIXED it is accepted. */
#include "oko.h"

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	if (pkt_len < 14)
		return 0;
#ifdef FIXED
	volatile uint8_t first = *(uint8_t *)pkt & 0xfe;
	return first == 2;
#else
	*(uint8_t *)pkt &= 0xfe;
	return 1;
#endif
}
