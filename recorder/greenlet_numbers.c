#include "greenlet_numbers.h"

#include <stdlib.h>

#define SMALLEST 64

static bool is_alive(const struct pt_greenlet_number *entry)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *object = NULL;
    const bool alive = PyWeakref_GetRef(entry->alive, &object) == 1;
    Py_XDECREF(object);
    return alive;
#else
    return PyWeakref_GET_OBJECT(entry->alive) != Py_None;
#endif
}

/* The entry of `greenlet`, or the empty one where it belongs. The table is not full. */
static struct pt_greenlet_number *place(struct pt_greenlet_number *entries, size_t capacity, const PyObject *greenlet)
{
    size_t at = (size_t)((uint64_t)(uintptr_t)greenlet * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (capacity - 1);
    while (entries[at].greenlet && entries[at].greenlet != greenlet)
        at = (at + 1) & (capacity - 1);
    return &entries[at];
}

void pt_greenlet_numbers_clear(struct pt_greenlet_numbers *numbers)
{
    struct pt_greenlet_numbers old = *numbers;
    *numbers = (struct pt_greenlet_numbers){0};
    for (size_t i = 0; i < old.capacity; i++)
        Py_XDECREF(old.entries[i].alive);
    free(old.entries);
}

/* Makes room for one more, without those that are gone. */
static bool grow(struct pt_greenlet_numbers *numbers)
{
    struct pt_greenlet_numbers grown = {.capacity = SMALLEST, .next = numbers->next};
    size_t alive = 0;
    for (size_t i = 0; i < numbers->capacity; i++)
        alive += numbers->entries[i].greenlet && is_alive(&numbers->entries[i]);
    while (grown.capacity < 4 * (alive + 1))
        grown.capacity *= 2;
    grown.entries = calloc(grown.capacity, sizeof *grown.entries);
    if (!grown.entries)
        return false;
    for (size_t i = 0; i < numbers->capacity; i++) {
        struct pt_greenlet_number *entry = &numbers->entries[i];
        if (!entry->greenlet || !is_alive(entry))
            continue;
        *place(grown.entries, grown.capacity, entry->greenlet) = *entry;
        entry->alive = NULL;
        grown.used++;
    }
    pt_greenlet_numbers_clear(numbers);
    *numbers = grown;
    return true;
}

struct pt_greenlet_number *pt_greenlet_numbers_find(struct pt_greenlet_numbers *numbers, PyObject *greenlet)
{
    struct pt_greenlet_number *entry = NULL;
    if (numbers->capacity > 0)
        entry = place(numbers->entries, numbers->capacity, greenlet);
    if (entry && entry->greenlet && is_alive(entry))
        return entry;
    PyObject *alive = PyWeakref_NewRef(greenlet, NULL);
    if (!alive) {
        PyErr_Clear();
        return NULL;
    }
    if (!entry || (!entry->greenlet && numbers->used >= numbers->capacity / 2)) {
        if (!grow(numbers)) {
            Py_DECREF(alive);
            return NULL;
        }
        entry = place(numbers->entries, numbers->capacity, greenlet);
    }
    numbers->used += entry->greenlet == NULL;
    Py_XDECREF(entry->alive);
    *entry = (struct pt_greenlet_number){.greenlet = greenlet, .alive = alive, .number = numbers->next++};
    return entry;
}

void pt_greenlet_numbers_forget(struct pt_greenlet_numbers *numbers)
{
    for (size_t i = 0; i < numbers->capacity; i++)
        numbers->entries[i].is_known = false;
}
