#include "rails.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MAX 3
/* Where lines are not cut. A program can be a million calls deep; nobody reads on there, and a row must not take a megabyte. */
#define LEVELS_MAX 60

/* By columns a level. */
static const char *const passing[STEP_MAX + 1] = {"", "│", "│ ", "│  "};
static const char *const nothing[STEP_MAX + 1] = {"", " ", "  ", "   "};
static const char *const between[STEP_MAX + 1] = {"", "├ ", "├ ", "├─ "};
static const char *const final[STEP_MAX + 1] = {"", "└ ", "└ ", "└─ "};

enum pt_status pt_rails_init(struct pt_rails *rails, uint32_t deepest, size_t columns)
{
    rails->step = STEP_MAX;
    while (columns && rails->step > 1 && (size_t)deepest * rails->step > columns)
        rails->step--;
    rails->levels = columns ? (uint32_t)(columns / rails->step) : LEVELS_MAX;
    rails->open = calloc((size_t)deepest + 1, 1);
    return rails->open ? PT_OK : PT_NOMEM;
}

void pt_rails_release(struct pt_rails *rails)
{
    free(rails->open);
    rails->open = NULL;
}

size_t pt_rails_put(struct pt_rails *rails, struct pt_screen *screen, uint32_t depth, bool last)
{
    uint32_t left_out = depth > rails->levels ? depth - rails->levels : 0;
    size_t columns = (size_t)(depth - left_out) * rails->step;
    char number[16];

    pt_screen_style(screen, PT_SCREEN_DIM);
    if (left_out) {
        snprintf(number, sizeof number, "+%u ", left_out);
        pt_screen_put(screen, number);
        columns += strlen(number);
    }
    for (uint32_t level = left_out + 1; level < depth; level++)
        pt_screen_put(screen, (rails->open[level] ? passing : nothing)[rails->step]);
    if (depth > left_out) {
        pt_screen_put(screen, (last ? final : between)[rails->step]);
        columns += rails->step == 1; /* the branch keeps its distance from the text */
    }
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    rails->open[depth] = !last;
    return columns;
}
