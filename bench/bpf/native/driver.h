/* Behind the filter: the loop over a batch, and what the bench calls. */
struct descriptor {
	uint32_t address;
	uint32_t length;
	uint64_t result;
};

/* 32 packets, as one call of the compiled module's runBatch; a function of its own, as that is. */
static __attribute__((noinline)) void run_batch(struct descriptor *descriptor, uint32_t count)
{
	for (; count > 0; count--, descriptor++)
		descriptor->result = filter(window + descriptor->address, descriptor->length);
}

__attribute__((visibility("default"))) void *native_window(void)
{
	return window;
}

__attribute__((visibility("default"))) void native_run(uint32_t descriptors, uint32_t batches, uint32_t packets)
{
	for (uint32_t i = 0; i < batches; i++)
		run_batch((struct descriptor *)(window + descriptors) + i * packets, packets);
}
