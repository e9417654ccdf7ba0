/* Parts of a key were never given a value; padding counts too.
 * Built as it is, the verifier answers BPF_VERIFIER_UNINITIALISED_STACK; with -DFIXED it is accepted. */
#include "oko.h"

uint64_t entry(void *pkt, uint64_t pkt_len)
{
#ifdef FIXED
	uint32_t key[4] = {0};
#else
	uint32_t key[4];
#endif
	volatile uint32_t *first = key;
	*first = 1;
	return ubpf_hash(key, sizeof(key)) == 1;
}
