/* Nothing brings the loop to an end.
 * Built as it is, the verifier answers BPF_VERIFIER_INFINITE_LOOP; with -DFIXED it is accepted. */
#include "oko.h"

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	volatile uint32_t found = 0;
#ifdef FIXED
	for (int i = 0; i < 100 && !found; i++)
#else
	while (!found)
#endif
		;
	return 1;
}
