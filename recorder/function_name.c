#include "function_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "code_hash.h"
#include "lookup.h"

/* --- Texts ------------------------------------------------------------------------------------------------------- */

static struct pt_text text_of_chars(const char *chars)
{
    return (struct pt_text){chars, (uint32_t)strlen(chars)};
}

/* The UTF-8 of a str; lone surrogates are written as escapes. Empty for anything else. Keeps what it borrows from in
 * `held`. */
static struct pt_text text_of(PyObject *object, PyObject **held)
{
    Py_ssize_t size;
    const char *data;
    if (!object || !PyUnicode_Check(object))
        return (struct pt_text){"", 0};
    if ((data = PyUnicode_AsUTF8AndSize(object, &size)) != NULL) {
        Py_INCREF(object);
        *held = object;
    } else {
        PyErr_Clear();
        if ((*held = PyUnicode_AsEncodedString(object, "utf-8", "backslashreplace")) == NULL) {
            PyErr_Clear();
            return (struct pt_text){"", 0};
        }
        data = PyBytes_AS_STRING(*held);
        size = PyBytes_GET_SIZE(*held);
    }
    return (struct pt_text){data, (uint32_t)(size < PT_JOURNAL_STRING_MAX ? size : PT_JOURNAL_STRING_MAX + 1)};
}

void pt_function_name_release(struct pt_function_name *result)
{
    for (size_t i = 0; i < PT_FUNCTION_NAME_HELD; i++)
        Py_CLEAR(result->held[i]);
}

/* --- Python functions -------------------------------------------------------------------------------------------- */

static bool ends_with_part(struct pt_text qualname, struct pt_text name)
{
    if (qualname.size < name.size || memcmp(qualname.data + qualname.size - name.size, name.data, name.size) != 0)
        return false;
    return qualname.size == name.size || qualname.data[qualname.size - name.size - 1] == '.';
}

void pt_function_name_python(struct pt_function_name *result, PyCodeObject *code, PyObject *globals)
{
    memset(result->held, 0, sizeof result->held);
    struct pt_text name = text_of(code->co_name, &result->held[0]);
#if PY_VERSION_HEX >= 0x030B0000
    struct pt_text qualname = text_of(code->co_qualname, &result->held[1]);
#else
    struct pt_text qualname = name;
#endif
    PyObject *module = pt_lookup_text(globals, "__name__");
    result->name = (struct pt_name){
        .kind = PT_NAME_PYTHON,
        .line = code->co_firstlineno > 0 ? (uint32_t)code->co_firstlineno : 0,
        .hash = pt_code_hash(code),
        .module = text_of(module, &result->held[2]),
        .qualname = qualname,
        .file = text_of(code->co_filename, &result->held[3]),
        .label = ends_with_part(qualname, name) ? (struct pt_text){"", 0} : name,
    };
    Py_XDECREF(module);
}

/* --- C functions ------------------------------------------------------------------------------------------------- */

/* The part of a type's name that tells its module, into the result; the rest. */
static const char *split_type_name(struct pt_function_name *result, PyTypeObject *type)
{
    const char *dot = strrchr(type->tp_name, '.');
    const char *qualname = dot ? dot + 1 : type->tp_name;
    struct pt_text module =
        dot ? (struct pt_text){type->tp_name, (uint32_t)(dot - type->tp_name)} : text_of_chars("builtins");
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        PyObject *found = pt_lookup_in_type(type, "__module__");
        if (found && PyUnicode_Check(found))
            module = text_of(found, &result->held[0]);
        Py_XDECREF(found);
        struct pt_text heap_qualname = text_of(((PyHeapTypeObject *)type)->ht_qualname, &result->held[1]);
        if (heap_qualname.size > 0)
            qualname = heap_qualname.data;
    }
    result->name.module = module;
    return qualname;
}

static void name_type(struct pt_function_name *result, PyTypeObject *type, const char *method)
{
    snprintf(result->qualname, sizeof result->qualname, "%s.%s", split_type_name(result, type), method);
    result->name.qualname = text_of_chars(result->qualname);
}

static bool is_descriptor_of(PyObject *object, const PyMethodDef *method)
{
    return (Py_IS_TYPE(object, &PyMethodDescr_Type) || Py_IS_TYPE(object, &PyClassMethodDescr_Type)) &&
           ((PyMethodDescrObject *)object)->d_method == method;
}

/* What a look-up on `type` finds under the method's name: the method's own descriptor if there is one in any base.
 * New reference or NULL. */
static PyObject *find_descriptor(PyTypeObject *type, const PyMethodDef *method)
{
    PyObject *first = pt_lookup_in_type(type, method->ml_name);
    if (!first || is_descriptor_of(first, method))
        return first;
    /* A subclass has a method of that name too. */
    PyObject *bases = pt_lookup_bases(type);
    for (Py_ssize_t i = 0; bases && i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *found = pt_lookup_in_type((PyTypeObject *)PyTuple_GET_ITEM(bases, i), method->ml_name);
        if (found && is_descriptor_of(found, method)) {
            Py_SETREF(first, found);
            break;
        }
        Py_XDECREF(found);
    }
    Py_XDECREF(bases);
    return first;
}

/* The type whose `method` is bound to an object, for classes too: dict.fromkeys belongs to dict, whatever subclass it
 * is called on. Borrowed from the arguments. */
static PyTypeObject *defining_type(PyObject *bound_to, PyObject *descriptor, const PyMethodDef *method)
{
    if (descriptor && is_descriptor_of(descriptor, method))
        return PyDescr_TYPE(descriptor);
    if (descriptor && PyCFunction_Check(descriptor) && PyCFunction_GET_SELF(descriptor) &&
        PyType_Check(PyCFunction_GET_SELF(descriptor)))
        return (PyTypeObject *)PyCFunction_GET_SELF(descriptor);
    if (!PyType_Check(bound_to))
        return Py_TYPE(bound_to);
    PyObject *own = find_descriptor((PyTypeObject *)bound_to, method);
    PyTypeObject *type = own && is_descriptor_of(own, method) ? PyDescr_TYPE(own) : (PyTypeObject *)bound_to;
    Py_XDECREF(own); /* a base of `bound_to` has it */
    return type;
}

/* What repr() says of a descriptor or a function, without the address. repr() itself would run signal handlers. */
static bool label_by_kind(struct pt_function_name *result, PyObject *object)
{
    if (PyFunction_Check(object)) {
        struct pt_text qualname = text_of(((PyFunctionObject *)object)->func_qualname, &result->held[2]);
        snprintf(result->label, sizeof result->label, "<function %s>", qualname.data);
        return true;
    }
    const bool is_wrapper = Py_IS_TYPE(object, &PyWrapperDescr_Type);
    if (PyCFunction_CheckExact(object)) {
        PyObject *bound_to = PyCFunction_GET_SELF(object);
        const char *name = ((PyCFunctionObject *)object)->m_ml->ml_name;
        if (!bound_to || PyModule_Check(bound_to))
            snprintf(result->label, sizeof result->label, "<built-in function %s>", name);
        else
            snprintf(result->label, sizeof result->label, "<built-in method %s of %s object>", name,
                     Py_TYPE(bound_to)->tp_name);
        return true;
    }
    if (!is_wrapper && !Py_IS_TYPE(object, &PyMethodDescr_Type) && !Py_IS_TYPE(object, &PyClassMethodDescr_Type))
        return false;
    const char *kind = is_wrapper ? "slot wrapper" : "method";
    const char *name = PyUnicode_AsUTF8(PyDescr_NAME(object));
    PyErr_Clear();
    if (PY_VERSION_HEX >= 0x030F0000 && PyDescr_TYPE(object) == &PyBaseObject_Type)
        snprintf(result->label, sizeof result->label, "<%s '%s'>", kind, name ? name : "?");
    else
        snprintf(result->label, sizeof result->label, "<%s '%s' of '%s' objects>", kind, name ? name : "?",
                 PyDescr_TYPE(object)->tp_name);
    return true;
}

/* cProfile prints what it finds under the method's name in the type of the object: where a subclass has a method of that
 * name, and calls this one through super(), that is the subclass's. */
static bool label_by_override(struct pt_function_name *result, PyTypeObject *type, const PyMethodDef *method)
{
    PyObject *found = pt_lookup_in_type(type, method->ml_name);
    const bool overridden = found && PyFunction_Check(found);
    if (overridden)
        label_by_kind(result, found);
    Py_XDECREF(found);
    return overridden;
}

static void name_method(struct pt_function_name *result, PyObject *bound_to, PyObject *module,
                        const PyMethodDef *method)
{
    PyObject *descriptor = find_descriptor(Py_TYPE(bound_to), method);
    name_type(result, defining_type(bound_to, descriptor, method), method->ml_name);
    bool labelled =
        label_by_override(result, Py_TYPE(bound_to), method) || (descriptor && label_by_kind(result, descriptor));
    Py_XDECREF(descriptor);
    if (labelled)
        return;
    const char *module_name = module && PyUnicode_Check(module) ? PyUnicode_AsUTF8(module) : NULL;
    PyErr_Clear();
    if (module_name)
        snprintf(result->label, sizeof result->label, "<built-in method %s.%s>", module_name, method->ml_name);
    else
        snprintf(result->label, sizeof result->label, "<built-in method %s>", method->ml_name);
}

/* A function of a module, or of nothing. cProfile writes it as a method where it is bound to the module. */
static void name_function(struct pt_function_name *result, PyObject *bound_to, PyObject *module,
                          const PyMethodDef *method)
{
    PyObject *found = module && PyModule_Check(module) ? pt_lookup_text(PyModule_GetDict(module), "__name__") : NULL;
    result->name.module = text_of(found ? found : module, &result->held[0]);
    Py_XDECREF(found);
    result->name.qualname = text_of_chars(method->ml_name);
    const char *prefix = bound_to ? "built-in method " : "";
    int size = (int)result->name.module.size;
    const char *text = result->name.module.data;
    bool unnamed = size == 0 || (!bound_to && strcmp(text, "builtins") == 0);
    if (unnamed)
        snprintf(result->label, sizeof result->label, "<%s%s>", prefix, method->ml_name);
    else
        snprintf(result->label, sizeof result->label, "<%s%.*s.%s>", prefix, size, text, method->ml_name);
}

void pt_function_name_c(struct pt_function_name *result, PyObject *function)
{
    memset(result->held, 0, sizeof result->held);
    result->name = (struct pt_name){.kind = PT_NAME_C, .file = {"", 0}};
    result->qualname[0] = result->label[0] = '\0';
    if (Py_IS_TYPE(function, &PyMethodDescr_Type)) {
        name_type(result, PyDescr_TYPE(function), ((PyMethodDescrObject *)function)->d_method->ml_name);
        label_by_kind(result, function);
    } else {
        const PyCFunctionObject *c_function = (PyCFunctionObject *)function;
        PyObject *bound_to = c_function->m_self;
        if (!bound_to || PyModule_Check(bound_to))
            name_function(result, bound_to, c_function->m_module, c_function->m_ml);
        else
            name_method(result, bound_to, c_function->m_module, c_function->m_ml);
    }
    result->name.label = text_of_chars(result->label);
}

/* --- Raise sites ------------------------------------------------------------------------------------------------- */

void pt_function_name_raise_site(struct pt_function_name *result, const struct pt_raise_site *site)
{
    memset(result->held, 0, sizeof result->held);
    result->name = (struct pt_name){
        .kind = PT_NAME_RAISE_SITE,
        .line = site->line > 0 ? (uint32_t)site->line : 0,
        .file = text_of(site->code->co_filename, &result->held[1]),
        .label = {"", 0},
    };
    snprintf(result->qualname, sizeof result->qualname, "%s", split_type_name(result, site->type));
    result->name.qualname = text_of_chars(result->qualname);
}
