/* An index from the packet may lie outside the array.
 * Built as it is, the verifier answers BPF_VERIFIER_STACK_BOUNDS; with -DFIXED it is accepted. */
#include "oko.h"

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	if (pkt_len < 15)
		return 0;
	volatile uint8_t table[16] = {0};
	uint8_t i = *(uint8_t *)(pkt + 14);
#ifdef FIXED
	i &= 15;
#endif
	table[i] = 1;
	return table[3];
}
