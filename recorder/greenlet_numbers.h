/* The numbers of the greenlets of a thread (SPEC.md 8.4). A greenlet that is gone is forgotten, now and then: memory is
 * bounded by those that live. Needs the GIL, or one thread alone. */
#ifndef PT_GREENLET_NUMBERS_H
#define PT_GREENLET_NUMBERS_H

#include <Python.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_greenlet_number {
    const PyObject *greenlet; /* NULL: empty */
    PyObject *alive;          /* a weak reference to it: an address may be used again */
    uint64_t number;
    bool is_known; /* the trace tells what is open in it */
};

/* Zeroed is empty. */
struct pt_greenlet_numbers {
    struct pt_greenlet_number *entries; /* open addressing */
    size_t capacity;                    /* a power of two, or 0 */
    size_t used;
    uint64_t next;
};

/* Begins with number 0. */
void pt_greenlet_numbers_clear(struct pt_greenlet_numbers *numbers);

/* The entry of `greenlet`, which gets the next number if it has none. Valid until the next call. NULL if there is no
 * memory. Keeps no exception. */
struct pt_greenlet_number *pt_greenlet_numbers_find(struct pt_greenlet_numbers *numbers, PyObject *greenlet);

/* What is open in any of them is not told any more. */
void pt_greenlet_numbers_forget(struct pt_greenlet_numbers *numbers);

#endif
