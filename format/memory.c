#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES (64u << 10)

struct pt_memory_page {
    struct pt_memory_page *next;
    size_t used;
    size_t size;
    _Alignas(8) uint8_t bytes[];
};

void pt_memory_init(struct pt_memory *memory, uint64_t cap)
{
    *memory = (struct pt_memory){.left = cap};
}

void pt_memory_release(struct pt_memory *memory)
{
    while (memory->pages) {
        struct pt_memory_page *next = memory->pages->next;
        free(memory->pages);
        memory->pages = next;
    }
}

enum pt_status pt_memory_charge(struct pt_memory *memory, uint64_t size)
{
    if (size > memory->left)
        return PT_NOMEM;
    memory->left -= size;
    return PT_OK;
}

static struct pt_memory_page *add_page(struct pt_memory *memory, size_t least)
{
    size_t size = least > PAGE_BYTES ? least : PAGE_BYTES;
    if (pt_memory_charge(memory, sizeof(struct pt_memory_page) + size) != PT_OK)
        return NULL;
    struct pt_memory_page *page = malloc(sizeof *page + size);
    if (!page)
        return NULL;
    *page = (struct pt_memory_page){.next = memory->pages, .size = size};
    memory->pages = page;
    return page;
}

void *pt_memory_take(struct pt_memory *memory, size_t size)
{
    struct pt_memory_page *page = memory->pages;
    if (size > SIZE_MAX / 4)
        return NULL;
    size = (size + 7) & ~(size_t)7;
    if (!page || size > page->size - page->used)
        page = add_page(memory, size);
    if (!page)
        return NULL;
    void *piece = page->bytes + page->used;
    page->used += size;
    return piece;
}

static size_t capacity_for(size_t count)
{
    size_t capacity = count > 0;
    while (capacity < count)
        capacity *= 2;
    return capacity;
}

void *pt_memory_grow(struct pt_memory *memory, void *array, size_t count, size_t more, size_t element_size)
{
    if (more > SIZE_MAX / 4 / element_size || count > SIZE_MAX / 4 / element_size - more)
        return NULL;
    size_t capacity = capacity_for(count);
    size_t needed = capacity_for(count + more);
    if (array && needed == capacity)
        return array;
    if (pt_memory_charge(memory, (needed - capacity) * (uint64_t)element_size) != PT_OK)
        return NULL;
    return realloc(array, needed > 0 ? needed * element_size : 1);
}
