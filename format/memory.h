/* Memory for what a file tells, with a cap: every byte is charged, and beyond the cap an allocation fails like any
 * other. */
#ifndef PT_MEMORY_H
#define PT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct pt_memory_page;

struct pt_memory {
    uint64_t left; /* of the cap */
    struct pt_memory_page *pages;
};

void pt_memory_init(struct pt_memory *memory, uint64_t cap);

/* Frees what pt_memory_take gave; arrays are their owners' to free. */
void pt_memory_release(struct pt_memory *memory);

/* Counts `size` bytes that someone else allocates. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_memory_charge(struct pt_memory *memory, uint64_t size);

/* Small pieces that live as long as `memory`, aligned for any number or pointer. NULL if there is no more. */
void *pt_memory_take(struct pt_memory *memory, size_t size);

/* Makes room for `more` elements behind the `count` of `array`, which only this function ever allocated (NULL and 0 at
 * first; free it with free(3)). Returns where the array is now, or NULL, and `array` is as it was. The array's capacity
 * is a function of its count, so that nobody has to store it: the next power of two. An array may be shortened at any
 * time. */
void *pt_memory_grow(struct pt_memory *memory, void *array, size_t count, size_t more, size_t element_size);

#endif
