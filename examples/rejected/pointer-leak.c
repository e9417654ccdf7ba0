/* An address is put into a map, where others could read it.
 * Built as it is, the verifier answers BPF_VERIFIER_POINTER_LEAK; with -DFIXED it is accepted. */
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
#ifdef FIXED
	uint64_t value = pkt_len;
#else
	uint64_t value = (uint64_t)pkt;
#endif
	ubpf_map_update(&seen, &key, &value);
	return 0;
}
