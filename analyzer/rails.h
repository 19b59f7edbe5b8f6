/* The lines that tie the rows of a printed tree to those above them. */
#ifndef PT_RAILS_H
#define PT_RAILS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "screen.h"
#include "status.h"

/* Release with pt_rails_release. */
struct pt_rails {
    uint32_t
        levels; /* that are drawn; rows deeper than that get only the innermost, behind the number of those left out */
    unsigned step;         /* columns a level: 3, or less where there is little room */
    uint8_t *open;         /* by depth: more follows on that level, its rail goes on */
    struct pt_buffer text; /* of the row that is being put */
};

/* For rows down to depth `deepest`. `columns`: what the rails may take of a line, 0 for no limit. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_rails_init(struct pt_rails *rails, uint32_t deepest, size_t columns);
void pt_rails_release(struct pt_rails *rails);

/* Appends the rails before the text of a row, `last` if nothing follows on its level. Rows come in the order of the tree; depth 0 has none.
 * PT_NOMEM. */
PT_MUST_USE enum pt_status pt_rails_append(struct pt_rails *rails, struct pt_buffer *out, uint32_t depth, bool last);

/* Puts them on the screen, dim. Returns the columns taken. Without memory nothing is put. */
size_t pt_rails_put(struct pt_rails *rails, struct pt_screen *screen, uint32_t depth, bool last);

#endif
