/* The texts behind --help, one for each command. */
#ifndef PT_HELP_H
#define PT_HELP_H

#include <stdbool.h>

#include "screen.h"

/* Prints the help of `command`, or the general one if it is NULL. False, and nothing printed, for an unknown command. */
bool pt_help_print(struct pt_screen *screen, const char *command);

#endif
