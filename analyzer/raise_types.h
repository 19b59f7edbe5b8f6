/* The types of exceptions that raise sites tell of, as numbers that can be compared. */
#ifndef PT_RAISE_TYPES_H
#define PT_RAISE_TYPES_H

#include <stdint.h>

#include "input.h"
#include "status.h"

/* Fills an array, by function of the input, to be freed: equal types have equal numbers, what is no raise site has 0.
 * PT_NOMEM: *types is NULL or to be freed. */
PT_MUST_USE enum pt_status pt_raise_types_make(uint32_t **types, const struct pt_input *input);

#endif
