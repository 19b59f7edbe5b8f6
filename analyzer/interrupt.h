/* Ctrl-C: long work ends at the next convenient place, outputs are cleaned up, and the exit status is 130. */
#ifndef PT_INTERRUPT_H
#define PT_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT (and SIGTERM, SIGHUP) is noted instead of ending the process; a second one ends it at once. */
void pt_interrupt_catch(void);

/* A signal has come: leave the loop. Cheap; to be looked at once a chunk or once a printed row. */
bool pt_interrupt_requested(void);

/* The exit status that belongs to the signal: 128 + its number, or 0. */
int pt_interrupt_exit_status(void);

#endif
