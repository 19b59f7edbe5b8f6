/* sys.monitoring from C: a tool id of ours, its callbacks, and the events that it asks for. 3.12 and later. Needs the GIL
 * and the main interpreter.
 *
 * All functions return -1 with an exception set if something goes wrong. */
#ifndef PT_MONITORING_H
#define PT_MONITORING_H

#include <Python.h>

#include <stdbool.h>
#include <stddef.h>

enum pt_monitoring_scope {
    PT_MONITORING_EVERYWHERE,   /* in all code */
    PT_MONITORING_LOCAL,        /* in code that pt_monitoring_set_local_events was called for */
    PT_MONITORING_WITH_ANOTHER, /* comes unasked with another event: C_RETURN and C_RAISE with CALL */
};

struct pt_monitoring_callback {
    const char *event; /* its name in sys.monitoring.events, whose numbers differ between versions */
    vectorcallfunc function;
    unsigned group; /* one bit, chosen by whoever has the callbacks */
    enum pt_monitoring_scope scope;
    PyObject *object; /* NULL at first */
};

/* Takes a tool id. RuntimeError if none is free. */
int pt_monitoring_reserve(void);

/* Takes back all that was registered and asked for, but not the local events, and gives the id back. Without an id it does
 * nothing. Keeps a raised exception. */
void pt_monitoring_release(const struct pt_monitoring_callback *callbacks, size_t count);

/* Registers the callbacks of these groups. */
int pt_monitoring_register(struct pt_monitoring_callback *callbacks, size_t count, unsigned groups);

/* Asks for the events of these groups in all code. */
int pt_monitoring_watch(const struct pt_monitoring_callback *callbacks, size_t count, unsigned groups);

/* No other tool watches all code. False with no exception set where that cannot be told. */
bool pt_monitoring_is_alone(void);

/* The bit of an event. */
long pt_monitoring_bit(const char *event);

/* Asks for these events in one code object, and for none else there. */
int pt_monitoring_set_local_events(PyObject *code, long bits);

/* The same, as if they were asked for in all code. */
int pt_monitoring_rehearse(PyObject *code, long bits);

/* sys.monitoring.NAME: a new reference. */
PyObject *pt_monitoring_constant(const char *name);

#endif
