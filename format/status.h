/* How functions of format/ tell what became of them.
 *
 * Every function that can fail returns an `enum pt_status`, and its result must be looked at. A function that
 * takes a `struct pt_error *` fills it on failure, and only then; NULL means that nobody wants to know. */
#ifndef PT_STATUS_H
#define PT_STATUS_H

#include <stdint.h>

enum pt_status {
    PT_OK = 0,
    PT_END,         /* nothing more to read; not an error */
    PT_TRUNCATED,   /* the input ends before the thing does */
    PT_CORRUPT,     /* the input breaks a rule of SPEC.md */
    PT_UNSUPPORTED, /* valid, but of a version or with a feature that this build does not know */
    PT_NOMEM,       /* an allocation failed, or a cap on memory was reached */
    PT_IO,          /* the system refused; errno is in `struct pt_error` */
    PT_MISUSE,      /* the caller broke the contract */
};

struct pt_error {
    uint64_t offset;  /* where in the file, in bytes; PT_ERROR_NO_OFFSET where that means nothing */
    int system_errno; /* errno for PT_IO, else 0 */
    char text[200];   /* what is wrong, one line, no trailing full stop */
};

#define PT_ERROR_NO_OFFSET UINT64_MAX

#define PT_MUST_USE __attribute__((warn_unused_result))

/* Fills `error` (may be NULL) and returns `status`, so that `return pt_error_set(…)` reads as one step. */
enum pt_status pt_error_set(struct pt_error *error, enum pt_status status, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for a failed system call: status PT_IO, `errno` and its text taken from the calling thread. */
enum pt_status pt_error_set_errno(struct pt_error *error, const char *what, const char *path);

/* A static word for a status: "corrupt", "truncated", … */
const char *pt_status_name(enum pt_status status);

/* The one macro that may return early: passes on whatever is not PT_OK. */
#define PT_TRY(expression)                                                                                             \
    do {                                                                                                               \
        enum pt_status pt_try_status_ = (expression);                                                                  \
        if (pt_try_status_ != PT_OK)                                                                                   \
            return pt_try_status_;                                                                                     \
    } while (0)

#endif
