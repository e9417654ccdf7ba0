/*
 * A filter of examples/ as native code: what oko.h declares, with helpers that the compiler can inline. The maps have the
 * layout, the hash and the seeds of src/bpf/maps/, so that the bytes can be compared after a run; everything that is
 * constant for a map is a constant here, as it is in the code that Oko generates.
 *
 * In front of this comes, generated: WINDOW_BYTES, THREAD, EPOCH (addresses in the window), the maps as `native_map_NAME`,
 * and RESOLVE(map), which finds one by the address of its declaration.
 */
#include <stddef.h>
#include <string.h>
#include <time.h>

#undef SEC
#define SEC(name) static const __attribute__((unused))

#define ALWAYS_INLINE static inline __attribute__((always_inline, unused))
#define COLD static __attribute__((noinline, unused))

struct native_map {
	uint32_t lru; /* of the hash kinds */
	uint32_t array;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
	uint32_t address;
	uint32_t data;
	uint32_t stride;
	uint32_t slot_bits;
	uint32_t region_bits;
	uint32_t value_offset;
	uint64_t final_multiplier;
	uint64_t word_multiplier;
	uint64_t words[8];
};

/* As fast as can be: every address in it is a constant. */
static uint8_t window[WINDOW_BYTES] __attribute__((aligned(4096)));

#define WORD(address) ((uint32_t *)(window + (address)))
#define HEADER_COUNT 64
#define HEADER_LOCKS 128
#define LOCK_STRIDE 64
#define SLOT_STAMP 4
#define SLOT_KEY 8
#define QUARANTINE_EPOCHS 2
#define LRU_SAMPLE 32
#define E2BIG (-7)
#define ENOENT (-2)
#define ENOMEM (-12)

ALWAYS_INLINE uint32_t load_word(uint32_t address)
{
	return __atomic_load_n(WORD(address), __ATOMIC_SEQ_CST);
}

ALWAYS_INLINE void store_word(uint32_t address, uint32_t value)
{
	__atomic_store_n(WORD(address), value, __ATOMIC_SEQ_CST);
}

struct hashed_key {
	uint64_t words[8];
	uint32_t home;
	uint32_t tag;
};

#define WORD_COUNT(map) (((map)->key_size + 7) / 8)

ALWAYS_INLINE void hash_key(const struct native_map *map, const void *key, struct hashed_key *hashed)
{
	uint32_t count = WORD_COUNT(map);
	hashed->words[count - 1] = 0;
	memcpy(hashed->words, key, map->key_size);
	uint64_t h = 0;
	if (count == 1)
		h = (hashed->words[0] ^ map->words[0]) * map->word_multiplier;
	else
#pragma GCC unroll 8
		for (uint32_t i = 0; i < count; i++)
			h += (uint64_t)((uint32_t)hashed->words[i] + (uint32_t)map->words[i]) *
			     (uint32_t)((uint32_t)(hashed->words[i] >> 32) + (uint32_t)(map->words[i] >> 32));
	h = (h ^ (h >> 32)) * map->final_multiplier;
	hashed->home = h >> (64 - map->slot_bits);
	hashed->tag = (uint32_t)(h >> 24) | 3;
}

ALWAYS_INLINE uint32_t slot_at(const struct native_map *map, uint32_t index)
{
	return map->address + map->data + index * map->stride;
}

ALWAYS_INLINE uint32_t step(const struct native_map *map, uint32_t index, uint32_t by)
{
	uint32_t mask = (1u << map->region_bits) - 1;
	return (index & ~mask) | ((index + by) & mask);
}

ALWAYS_INLINE int holds_key(const struct native_map *map, uint32_t slot, const struct hashed_key *key)
{
#pragma GCC unroll 8
	for (uint32_t i = 0; i < WORD_COUNT(map); i++) {
		uint64_t word;
		memcpy(&word, window + slot + SLOT_KEY + 8 * i, 8);
		if (word != key->words[i])
			return 0;
	}
	return 1;
}

ALWAYS_INLINE uint32_t find(const struct native_map *map, const struct hashed_key *key)
{
	uint32_t index = key->home;
	do {
		uint32_t slot = slot_at(map, index);
		uint32_t meta = load_word(slot);
		if (meta == key->tag && holds_key(map, slot, key))
			return slot;
		if (meta == 0)
			return 0;
		index = step(map, index, 1);
	} while (index != key->home);
	return 0;
}

ALWAYS_INLINE void touch(uint32_t slot)
{
	uint32_t epoch = load_word(EPOCH);
	if (load_word(slot + SLOT_STAMP) != epoch)
		store_word(slot + SLOT_STAMP, epoch);
}

ALWAYS_INLINE void *native_lookup(const struct native_map *map, const void *key)
{
	if (map->array) {
		uint32_t index;
		memcpy(&index, key, 4);
		return index < map->max_entries ? window + slot_at(map, index) : NULL;
	}
	struct hashed_key hashed;
	hash_key(map, key, &hashed);
	uint32_t slot = find(map, &hashed);
	if (slot == 0)
		return NULL;
	if (map->lru)
		touch(slot);
	return window + slot + map->value_offset;
}

COLD void retire(const struct native_map *map, uint32_t index)
{
	store_word(slot_at(map, index), load_word(slot_at(map, index)) & ~1u);
	store_word(slot_at(map, index) + SLOT_STAMP, load_word(EPOCH));
	if (load_word(slot_at(map, step(map, index, 1))) != 0)
		return;
	for (uint32_t steps = 1u << map->region_bits; steps > 0; steps--) {
		uint32_t meta = load_word(slot_at(map, index));
		if (meta == 0 || meta & 1)
			return;
		store_word(slot_at(map, index), 0);
		index = step(map, index, -1u);
	}
}

COLD int evict(const struct native_map *map, uint32_t home)
{
	uint32_t epoch = load_word(EPOCH), index = home, victim = 0, sampled = 0;
	int64_t oldest = -1;
	for (uint32_t steps = 1u << map->region_bits; steps > 0 && sampled < LRU_SAMPLE; steps--) {
		uint32_t slot = slot_at(map, index);
		if (load_word(slot) & 1) {
			uint32_t age = epoch - load_word(slot + SLOT_STAMP);
			if (age > oldest) {
				oldest = age;
				victim = index;
			}
			sampled++;
		}
		index = step(map, index, 1);
	}
	if (oldest < 0)
		return 0;
	retire(map, victim);
	return 1;
}

ALWAYS_INLINE int is_free(uint32_t slot)
{
	return load_word(EPOCH) - load_word(slot + SLOT_STAMP) >= QUARANTINE_EPOCHS;
}

COLD uint32_t take_slot(const struct native_map *map, const struct hashed_key *key)
{
	uint32_t index = key->home, first_free = 0, steps = 1u << map->region_bits;
	for (; steps > 0; steps--) {
		uint32_t slot = slot_at(map, index), meta = load_word(slot);
		if (meta == 0)
			break;
		if (!(meta & 1)) {
			if (meta == (key->tag & ~1u) && holds_key(map, slot, key))
				return slot;
			if (first_free == 0 && is_free(slot))
				first_free = slot;
		}
		index = step(map, index, 1);
	}
	if (first_free)
		return first_free;
	for (; steps > 0; steps--) {
		uint32_t slot = slot_at(map, index), meta = load_word(slot);
		if (!(meta & 1)) {
			if (is_free(slot) || holds_key(map, slot, key))
				return slot;
			if (meta == 0)
				store_word(slot, 2);
		}
		index = step(map, index, 1);
	}
	return 0;
}

COLD int insert(const struct native_map *map, const struct hashed_key *key, const void *value)
{
	uint32_t *count = WORD(map->address + HEADER_COUNT);
	if (__sync_fetch_and_add(count, 1) >= map->max_entries) {
		int evicted = map->lru && evict(map, key->home);
		__sync_fetch_and_sub(count, 1);
		if (!evicted)
			return E2BIG;
	}
	uint32_t slot = take_slot(map, key);
	if (slot == 0) {
		__sync_fetch_and_sub(count, 1);
		return ENOMEM;
	}
	store_word(slot + SLOT_STAMP, load_word(EPOCH));
	memcpy(window + slot + SLOT_KEY, key->words, 8 * WORD_COUNT(map));
	memmove(window + slot + map->value_offset, value, map->value_size);
	store_word(slot, key->tag);
	return 0;
}

ALWAYS_INLINE uint32_t *lock_of(const struct native_map *map, const struct hashed_key *key)
{
	return WORD(map->address + HEADER_LOCKS + (key->home >> map->region_bits) * LOCK_STRIDE);
}

ALWAYS_INLINE int native_update(const struct native_map *map, const void *key, const void *value)
{
	if (map->array) {
		void *target = native_lookup(map, key);
		if (target)
			memmove(target, value, map->value_size);
		return target ? 0 : E2BIG;
	}
	struct hashed_key hashed;
	hash_key(map, key, &hashed);
	uint32_t *lock = lock_of(map, &hashed);
	while (__sync_val_compare_and_swap(lock, 0, 1) != 0)
		;
	int result = 0;
	uint32_t slot = find(map, &hashed);
	if (slot) {
		memmove(window + slot + map->value_offset, value, map->value_size);
		if (map->lru)
			touch(slot);
	} else {
		result = insert(map, &hashed, value);
	}
	__atomic_store_n(lock, 0, __ATOMIC_SEQ_CST);
	return result;
}

ALWAYS_INLINE int native_delete(const struct native_map *map, const void *key)
{
	struct hashed_key hashed;
	hash_key(map, key, &hashed);
	uint32_t *lock = lock_of(map, &hashed);
	while (__sync_val_compare_and_swap(lock, 0, 1) != 0)
		;
	uint32_t slot = find(map, &hashed);
	if (slot) {
		retire(map, (slot - slot_at(map, 0)) / map->stride);
		__sync_fetch_and_sub(WORD(map->address + HEADER_COUNT), 1);
	}
	__atomic_store_n(lock, 0, __ATOMIC_SEQ_CST);
	return slot ? 0 : ENOENT;
}

ALWAYS_INLINE uint64_t native_time(void)
{
	uint64_t now;
	memcpy(&now, window + THREAD, 8);
	return now;
}

#define ROTATE(x, k) ((x) << (k) | (x) >> (32 - (k)))

/* lookup3's hashlittle, seed 0. */
ALWAYS_INLINE uint32_t native_hash(const void *item, uint64_t size)
{
	const uint8_t *at = item;
	uint32_t a = 0xdeadbeef + (uint32_t)size, b = a, c = a, word[3];
	for (; size > 12; size -= 12, at += 12) {
		memcpy(word, at, 12);
		a += word[0], b += word[1], c += word[2];
		a -= c, a ^= ROTATE(c, 4), c += b;
		b -= a, b ^= ROTATE(a, 6), a += c;
		c -= b, c ^= ROTATE(b, 8), b += a;
		a -= c, a ^= ROTATE(c, 16), c += b;
		b -= a, b ^= ROTATE(a, 19), a += c;
		c -= b, c ^= ROTATE(b, 4), b += a;
	}
	if (size == 0)
		return c;
	memset(word, 0, 12);
	memcpy(word, at, size);
	a += word[0], b += word[1], c += word[2];
	c ^= b, c -= ROTATE(b, 14);
	a ^= c, a -= ROTATE(c, 11);
	b ^= a, b -= ROTATE(a, 25);
	c ^= b, c -= ROTATE(b, 16);
	a ^= c, a -= ROTATE(c, 4);
	b ^= a, b -= ROTATE(a, 14);
	c ^= b, c -= ROTATE(b, 24);
	return c;
}

#define ubpf_map_lookup(map, key) native_lookup(RESOLVE(map), key)
#define ubpf_map_update(map, key, value) native_update(RESOLVE(map), key, value)
#define ubpf_map_delete(map, key) native_delete(RESOLVE(map), key)
#define ubpf_time_get_ns() native_time()
#define ubpf_hash(item, size) native_hash(item, size)
#define entry static inline __attribute__((always_inline)) filter
