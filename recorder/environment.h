/* The one thing that programs started by a recorded one are handed: an environment variable that names the arena. */
#ifndef PT_ENVIRONMENT_H
#define PT_ENVIRONMENT_H

#define PT_ENVIRONMENT_ARENA "PYTRACE_ARENA"

/* Puts the arena's directory into the environment of this process, and into the copies of it that Python programs see
 * and hand on (os.environ, os.environb). Without memory it is left out. Needs the GIL; keeps no exception. */
void pt_environment_put(const char *directory);

/* Takes it out again. */
void pt_environment_remove(void);

#endif
