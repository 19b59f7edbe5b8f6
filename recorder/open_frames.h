/* Frames that were entered before their thread's first record (SPEC.md 5.4, open). */
#ifndef PT_OPEN_FRAMES_H
#define PT_OPEN_FRAMES_H

#include <stdbool.h>

#include "thread_state.h"

/* Writes the calling thread's Python frames, the outermost first; without the innermost if it is just `entering`. May
 * allocate. */
void pt_open_frames_write(struct pt_thread_state *self, bool entering);

/* The same for frames that were suspended until now, aside from those of any thread, and go on. */
void pt_open_frames_write_resumed(struct pt_thread_state *self);

/* The frames open in the calling thread now are the recorder's own: they are left out, in this thread and where it
 * forks. */
void pt_open_frames_hide(void);

/* Looks at the functions that run now, in any thread, whether their lines or instructions are chosen (chosen.h): else
 * they would tell of them from the first call on that their thread makes. Needs the GIL; on a free-threaded build it is
 * so for all threads but the calling one. */
void pt_open_frames_choose(void);

#endif
