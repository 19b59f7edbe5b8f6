#include "rails.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

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
    *rails = (struct pt_rails){.step = STEP_MAX};
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
    pt_buffer_release(&rails->text);
}

static enum pt_status append(struct pt_buffer *out, const char *text)
{
    return pt_buffer_append(out, text, strlen(text));
}

enum pt_status pt_rails_append(struct pt_rails *rails, struct pt_buffer *out, uint32_t depth, bool last)
{
    uint32_t left_out = depth > rails->levels ? depth - rails->levels : 0;
    char number[16];

    if (left_out) {
        snprintf(number, sizeof number, "+%u ", left_out);
        PT_TRY(append(out, number));
    }
    for (uint32_t level = left_out + 1; level < depth; level++)
        PT_TRY(append(out, (rails->open[level] ? passing : nothing)[rails->step]));
    if (depth > left_out)
        PT_TRY(append(out, (last ? final : between)[rails->step]));
    rails->open[depth] = !last;
    return PT_OK;
}

size_t pt_rails_put(struct pt_rails *rails, struct pt_screen *screen, uint32_t depth, bool last)
{
    rails->text.size = 0;
    if (pt_rails_append(rails, &rails->text, depth, last) != PT_OK)
        return 0;
    pt_screen_style(screen, PT_SCREEN_DIM);
    pt_screen_write(screen, (const char *)rails->text.data, rails->text.size);
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    return pt_text_width((const char *)rails->text.data, rails->text.size);
}
