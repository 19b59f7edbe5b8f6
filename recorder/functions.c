#include "functions.h"

#include "chosen.h"
#include "code_watch.h"
#include "function_name.h"
#include "function_table.h"
#include "greenlet.h"
#include "hook.h"
#include "layout.h"
#include "names_journal.h"
#include "session_use.h"
#include "thread_state.h"

static struct pt_function_table table = PT_FUNCTION_TABLE_EMPTY;
static struct pt_function_table chosen_codes = PT_FUNCTION_TABLE_EMPTY; /* PT_CHOSEN_… in place of ids */

uint32_t pt_functions_find(const void *key)
{
    return pt_function_table_find(&table, key);
}

/* --- First sight ------------------------------------------------------------------------------------------------- */

static uint32_t describe(PyObject *function, PyObject *globals, unsigned *chosen)
{
    struct pt_function_name name;
    *chosen = 0;
    if (PyCode_Check(function)) {
        pt_function_name_python(&name, (PyCodeObject *)function, globals);
        *chosen = pt_chosen_of(&name.name);
    } else {
        pt_function_name_c(&name, function);
    }
    pt_greenlet_notice(&name.name.module);
    uint32_t id = pt_names_journal_id(&name.name);
    pt_function_name_release(&name);
    return id;
}

/* A PyMethodDef of a type is as static as the type's slots. One made at run time (pybind11 and the like) is freed with
 * its function, whose `self` then is nothing, a module, or the capsule that owns it. */
static bool may_vanish(PyObject *function)
{
    if (PyCode_Check(function))
        return !pt_code_watch_add((PyCodeObject *)function);
    if (!PyCFunction_Check(function))
        return false;
    PyObject *bound_to = ((PyCFunctionObject *)function)->m_self;
    return !bound_to || PyModule_Check(bound_to) || PyCapsule_CheckExact(bound_to);
}

/* A dying code object is struck off. Where threads run in parallel, one could die while it is visited: there it is kept. */
static void choose(PyObject *code, unsigned chosen)
{
    PyObject *held = NULL;
#ifdef Py_GIL_DISABLED
    held = code;
#endif
    Py_XINCREF(held);
    if (pt_function_table_add(&chosen_codes, code, chosen, held))
        pt_hook_choose(code, chosen);
    else
        Py_XDECREF(held);
}

uint32_t pt_functions_id(const void *key, PyObject *function, PyObject *globals)
{
    uint32_t id = pt_functions_find(key);
    if (id != PT_ID_UNKNOWN)
        return id;
    /* Cython from 3.1 on fires events with code objects of its own kind. */
    if (!PyCode_Check(function) && !PyCFunction_Check(function) && !Py_IS_TYPE(function, &PyMethodDescr_Type))
        return PT_ID_UNKNOWN;
    /* Without a lock: what is described twice at the same time gets the same id. */
    unsigned chosen;
    id = describe(function, globals, &chosen);
    if (id == PT_ID_UNKNOWN)
        return id;
    PyObject *held = may_vanish(function) ? function : NULL;
    if (chosen)
        choose(function, chosen); /* after its death is watched: what was watched before is forgotten by that */
    Py_XINCREF(held);
    if (pt_function_table_add(&table, key, id, held))
        return id;
    Py_XDECREF(held);
    return pt_functions_find(key);
}

uint32_t pt_functions_raise_site(const struct pt_raise_site *site)
{
    struct pt_function_name name;
    pt_function_name_raise_site(&name, site);
    uint32_t id = pt_names_journal_id(&name.name);
    pt_function_name_release(&name);
    return id;
}

unsigned pt_functions_chosen(const void *code)
{
    return pt_function_table_find(&chosen_codes, code);
}

void pt_functions_visit_chosen(void (*visit)(const void *code))
{
    pt_function_table_visit(&chosen_codes, visit);
}

/* --- The end of functions ---------------------------------------------------------------------------------------- */

/* Other threads read and write their caches at this moment, but none of them meets this key: that would be a thread
 * that runs a function which is gone. A new function of the same address is seen by nobody before this is. */
static void purge_caches(const void *key)
{
    for (uint32_t i = 0; i < pt_session->threads_used; i++)
        pt_cached_id_forget(pt_thread_state_cached(&pt_session->threads[i], key), key);
}

void pt_functions_forget(const void *key)
{
    if (!pt_session_enter())
        return; /* the tables of a session that is over are cleared before the next one begins */
    if (pt_function_table_remove(&table, key))
        purge_caches(key);
    pt_function_table_remove(&chosen_codes, key);
    pt_session_exit();
}

static void release(void *held)
{
    Py_DECREF((PyObject *)held);
}

void pt_functions_clear(void)
{
    pt_function_table_clear(&chosen_codes, release);
    pt_function_table_clear(&table, release);
}

void pt_functions_forget_all(void)
{
    pt_function_table_forget(&chosen_codes);
    pt_function_table_forget(&table);
}

void pt_functions_lock(void)
{
    pt_function_table_lock(&table);
    pt_function_table_lock(&chosen_codes);
}

void pt_functions_unlock(void)
{
    pt_function_table_unlock(&chosen_codes);
    pt_function_table_unlock(&table);
}
