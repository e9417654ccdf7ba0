/* More is read of a value than the map declares.
 * Built as it is, the verifier answers BPF_VERIFIER_MAP_VALUE_BOUNDS; with -DFIXED it is accepted. */
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
	uint8_t *bytes = ubpf_map_lookup(&seen, &key);
	if (!bytes)
		return 0;
#ifdef FIXED
	return bytes[7];
#else
	return bytes[8];
#endif
}
