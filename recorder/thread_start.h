/* Learning of new threads where the hook is set for each thread: before 3.12. */
#ifndef PT_THREAD_START_H
#define PT_THREAD_START_H

/* Puts a function of ours, which looks and acts like the original, in the place of _thread.start_new_thread and where
 * threading keeps it: after each start it calls pt_hook_scan. Returns 0, or -1 with an exception set. Wrapping twice is
 * wrapping once. */
int pt_thread_start_wrap(void);
void pt_thread_start_unwrap(void);

#endif
