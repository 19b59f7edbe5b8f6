#include "check.h"

#include <stdarg.h>
#include <stdio.h>

#include "check_private.h"
#include "trace_private.h"

void pt_check_note(struct pt_check *check, uint64_t offset, const char *format, ...)
{
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    check->findings++;
    if (check->report)
        check->report(check->context, offset, text);
}

static void check_damage(struct pt_check *check)
{
    const struct pt_trace *trace = check->trace;
    for (size_t i = 0; i < trace->damage_count; i++) {
        const struct pt_trace_damage *damage = &trace->damages[i];
        if (damage->length > 0)
            pt_check_note(check, damage->offset, "%s (%llu bytes)", damage->text, (unsigned long long)damage->length);
        else
            pt_check_note(check, damage->offset, "%s", damage->text);
    }
    if (trace->private->damages > trace->damage_count)
        pt_check_note(check, PT_ERROR_NO_OFFSET, "more places like these: %llu",
                      (unsigned long long)(trace->private->damages - trace->damage_count));
    if (trace->private->torn_bytes > 0)
        pt_check_note(check, trace->file_size - trace->private->torn_bytes, "the last block is cut short (%llu bytes)",
                      (unsigned long long)trace->private->torn_bytes);
    if (trace->missing_blocks > 0)
        pt_check_note(check, PT_ERROR_NO_OFFSET, "blocks are missing, by their numbers: %llu",
                      (unsigned long long)trace->missing_blocks);
    if (trace->private->repeated_chunks > 0)
        pt_check_note(check, PT_ERROR_NO_OFFSET, "chunks that stand in the file twice: %llu",
                      (unsigned long long)trace->private->repeated_chunks);
}

static void check_ending(struct pt_check *check)
{
    const struct pt_trace *trace = check->trace;
    if (trace->has_end)
        return;
    switch (trace->arena) {
    case PT_TRACE_ARENA_LIVE:
        pt_check_note(check, trace->file_size, "no END: still being written");
        break;
    case PT_TRACE_ARENA_SALVAGED:
        pt_check_note(check, trace->file_size,
                      "no END: the recording was cut off; events recovered from its arena: %llu",
                      (unsigned long long)trace->recovered_events);
        break;
    case PT_TRACE_ARENA_UNUSED:
    case PT_TRACE_ARENA_NOT_FOUND:
    case PT_TRACE_ARENA_REFUSED:
        pt_check_note(check, trace->file_size, "no END: the recording was cut off, its tail may be missing%s%s",
                      *trace->arena_text ? ": " : "", trace->arena_text);
        break;
    }
}

static void check_losses(struct pt_check *check)
{
    const struct pt_trace *trace = check->trace;
    if (trace->lost > 0)
        pt_check_note(check, PT_ERROR_NO_OFFSET, "events lost while recording: %llu", (unsigned long long)trace->lost);
    if (trace->has_end && trace->end.unslotted_threads > 0)
        pt_check_note(check, PT_ERROR_NO_OFFSET, "threads that got no slot: %llu, with %llu events",
                      (unsigned long long)trace->end.unslotted_threads,
                      (unsigned long long)trace->end.unslotted_events);
}

enum pt_status pt_check(const struct pt_trace *trace, pt_check_finding *report, void *context, uint64_t *findings)
{
    struct pt_check check = {.trace = trace, .report = report, .context = context};
    pt_memory_init(&check.memory, trace->private->memory.left);
    pt_table_init(&check.definitions);
    check_damage(&check);
    enum pt_status status = pt_check_blocks(&check);
    if (status == PT_OK)
        status = pt_check_streams(&check);
    check_ending(&check);
    check_losses(&check);
    *findings = check.findings;
    pt_table_release(&check.definitions);
    pt_memory_release(&check.memory);
    return status;
}
