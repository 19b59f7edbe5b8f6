/* Thread states are numbered by their interpreter, before 3.12 too, where it tells nobody that one was made. */
#ifndef PT_THREAD_IDS_H
#define PT_THREAD_IDS_H

#include <stdint.h>

/* The number of the newest thread state that the main interpreter ever had, gone or not. Needs the GIL. */
uint64_t pt_thread_ids_newest(void);

#endif
