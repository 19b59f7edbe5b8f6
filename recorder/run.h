/* `python -m pytrace record`: turns the interpreter that runs us into one that was given the program on its own command line. */
#ifndef PT_RUN_H
#define PT_RUN_H

#include <Python.h>

/* The method `_core.run(kind, target, argv, orig_argv, keep_going, **options)`.
 *
 * `kind` is "script" (a file, a directory or archive with a __main__, or "-" for standard input), "module" or "command", `target` what
 * follows on the command line (a relative path made absolute, code with a last newline), `argv` the program's sys.argv before it starts,
 * `orig_argv` its sys.orig_argv or None; `options` are those of start(), which are right: check_options() was
 * asked.
 *
 * Does not return, unless memory is short: it runs the program, finalises the interpreter and ends the process as python would. Recording
 * starts with the program's first frame. If it cannot start, the process ends with status 2 and one line on standard error, the
 * program not run; with `keep_going` it warns and runs the program unrecorded. */
PyObject *pt_run(PyObject *module, PyObject *args, PyObject *kwargs);

#endif
