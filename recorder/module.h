/* The extension module pytrace._core. */
#ifndef PT_MODULE_H
#define PT_MODULE_H

#include <stdbool.h>

/* `method` is the PyMethodDef of a function of this module: the recorder does not show itself. */
bool pt_module_owns(const void *method);

/* Absolute path of the drain program, which lies beside the extension. */
const char *pt_module_drain_path(void);

#endif
