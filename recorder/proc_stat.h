/* Fields of /proc/PID/stat, by their numbers in proc(5). */
#ifndef PT_PROC_STAT_H
#define PT_PROC_STAT_H

#include <string.h>

/* Where a field from the third on begins in the text of the file; NULL if it has not so many. */
static inline const char *pt_proc_stat_field(const char *text, unsigned number)
{
    const char *field = strrchr(text, ')'); /* the second field, the name, may hold anything */
    for (unsigned at = 2; field && at < number; at++) {
        field = strchr(field, ' ');
        if (field)
            field++;
    }
    return field;
}

#endif
