/* `python -m pytrace record`: turns the interpreter that runs us into one that was given the program on its own command line. */
#ifndef PT_RUN_H
#define PT_RUN_H

#include <Python.h>

/* The method `_core.run(kind, target, argv, orig_argv, keep_going, **options)`.
 *
 * `kind` is "script" (a file, a directory or archive with a __main__, or "-" for standard input), "module" or "command", `target` what
 * follows on the command line, `argv` the program's sys.argv before it starts, `orig_argv` its sys.orig_argv or None; `options` are those
 * of start(). Raises what start() raises for wrong options; else it does not return: it runs the program, finalises the interpreter
 * and ends the process as python would. Recording starts with the program's first frame. If it cannot start, the process ends with status 2
 * and one line on standard error before the program ran, or, with `keep_going`, warns and runs the program unrecorded. */
PyObject *pt_run(PyObject *module, PyObject *args, PyObject *kwargs);

#endif
