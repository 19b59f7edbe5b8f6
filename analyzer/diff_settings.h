/* Whether traces were recorded in a way that lets them be compared. */
#ifndef PT_DIFF_SETTINGS_H
#define PT_DIFF_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "input.h"

#define PT_DIFF_SETTINGS_MAX 16

struct pt_diff_difference {
    bool serious; /* what is compared would not be the program */
    char text[160];
};

struct pt_diff_settings {
    struct pt_diff_difference differences[PT_DIFF_SETTINGS_MAX];
    size_t count;
};

/* Finds what differs between the first trace and any other; with several traces a side, also whether their order in
 * time could pass for a change. */
void pt_diff_settings_compare(struct pt_diff_settings *settings, const struct pt_input *input, size_t base_count);

/* The first serious difference, or NULL. */
const struct pt_diff_difference *pt_diff_settings_serious(const struct pt_diff_settings *settings);

#endif
