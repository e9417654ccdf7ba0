/* A lookup may find nothing.
 * Built as it is, the verifier answers BPF_VERIFIER_NULL_VALUE; with -DFIXED it is accepted. */
#include "oko.h"

struct ubpf_map_def SEC("maps") seen = {
	.type = UBPF_MAP_TYPE_HASHMAP,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 16,
};

uint64_t entry(void *pkt, uint64_t pkt_len)
{
	uint32_t key = 7;
	uint64_t *count = ubpf_map_lookup(&seen, &key);
#ifdef FIXED
	if (!count)
		return 0;
#endif
	return *count > 3;
}
