/* A place for a test's results, and what has become of them. There is one in a test: each test runs in a process of its
 * own. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "screen.h"

/* Names a file in a directory of its own; there is no such file yet. */
extern char output_path[64];

/* Set up and tear down of a suite; the latter fails if anything but the file was left behind. */
void output_begin(void);
void output_end(void);

/* A screen that writes there. */
struct pt_screen *output_open(struct pt_screen_settings settings);

/* The file must hold just this. */
void output_check(const char *expected);

#endif
