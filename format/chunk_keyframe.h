/* What a chunk tells of stacks as they were before it (SPEC.md 5.3; internal to the chunk files). */
#ifndef PT_CHUNK_KEYFRAME_H
#define PT_CHUNK_KEYFRAME_H

#include "chunk.h"

/* Appends how many frames follow, and the innermost of these `depth` with their ages at `first_tick`. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_chunk_keyframe_encode(struct pt_buffer *out, const struct pt_stack_frame *frames,
                                                    size_t depth, uint64_t first_tick);

/* The keyframe part of a chunk, of info->keyframe_bytes at `at`. PT_CORRUPT, PT_TRUNCATED. */
PT_MUST_USE enum pt_status pt_chunk_keyframe_decode(struct pt_chunk_keyframe *keyframe,
                                                    const struct pt_chunk_info *info, const uint8_t *at);

/* Makes the stack of the greenlet that runs what is told of it. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_chunk_keyframe_restore(const struct pt_chunk_keyframe *keyframe, struct pt_stack *stack);

#endif
