#include "input.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define LATE_CHECKS_MIN (64 << 20) /* verifying less than this is not worth waiting for the need */
#define WAIT_MS         10000      /* how long a drain may take to finish the file of a program that has ended */

static void say_waiting(void *context)
{
    const char *path = context;
    fprintf(stderr, "pytrace-analyze: %s: the program has ended, waiting for the end of the file\n", path);
}

/* --- One function for definitions that agree, over all traces --------------------------------------------------- */

struct merge {
    struct pt_input *input;
    uint32_t *table; /* function number + 1, open addressing; 0 is free */
    size_t mask;
};

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return (hash ^ 0xFF) * UINT64_C(0x100000001B3);
}

/* As in one trace: of C functions the label does not matter. */
static bool same_function(const struct pt_function *a, const struct pt_function *b)
{
    return a->kind == b->kind && a->line == b->line && strcmp(a->qualname, b->qualname) == 0 &&
           strcmp(a->module, b->module) == 0 && strcmp(a->file, b->file) == 0 &&
           (a->kind == PT_NAME_C || strcmp(a->label, b->label) == 0);
}

static uint32_t merge_function(struct merge *merge, const struct pt_function *function)
{
    struct pt_input *input = merge->input;
    uint64_t hash =
        hash_text(UINT64_C(0xCBF29CE484222325) ^ function->line ^ (uint64_t)function->kind << 32, function->qualname);
    hash = hash_text(hash_text(hash, function->module), function->file);
    for (size_t at = hash & merge->mask;; at = (at + 1) & merge->mask) {
        uint32_t entry = merge->table[at];
        if (entry == 0) {
            input->functions[input->function_count] = *function;
            merge->table[at] = (uint32_t)++input->function_count;
            return (uint32_t)input->function_count - 1;
        }
        if (same_function(&input->functions[entry - 1], function))
            return entry - 1;
    }
}

static enum pt_status merge_functions(struct pt_input *input)
{
    enum pt_status status = PT_NOMEM;
    struct merge merge = {.input = input, .mask = 1023};
    size_t most = 1;
    for (size_t i = 0; i < input->trace_count; i++)
        most += input->traces[i].trace->function_count;
    while (merge.mask < most * 2)
        merge.mask = merge.mask * 2 + 1;
    input->functions = calloc(most, sizeof *input->functions);
    merge.table = calloc(merge.mask + 1, sizeof *merge.table);
    if (!input->functions || !merge.table)
        goto cleanup;

    input->functions[0] = input->traces[0].trace->functions[0];
    input->function_count = 1;
    for (size_t i = 0; i < input->trace_count; i++) {
        struct pt_input_trace *origin = &input->traces[i];
        const struct pt_trace *trace = origin->trace;
        origin->functions = calloc(trace->function_count, sizeof *origin->functions);
        if (!origin->functions)
            goto cleanup;
        for (size_t f = 1; f < trace->function_count; f++)
            origin->functions[f] = merge_function(&merge, &trace->functions[f]);
    }
    status = PT_OK;
cleanup:
    free(merge.table);
    return status;
}

/* --- Ranges, threads -------------------------------------------------------------------------------------------- */

/* The first tick that is shown as `ns` or more. */
static uint64_t tick_of_ns(const struct pt_trace *trace, uint64_t ns)
{
    uint64_t low = pt_trace_start_tick(trace);
    uint64_t high = pt_trace_end_tick(trace);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (pt_trace_ns(trace, middle) < ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void choose_range(struct pt_input_trace *origin, const struct pt_options *options)
{
    const struct pt_trace *trace = origin->trace;
    uint64_t wall_ns = pt_trace_ns(trace, pt_trace_end_tick(trace));
    origin->from_tick = 0;
    origin->to_tick = UINT64_MAX;
    if (options->from.unit != PT_BOUND_NONE)
        origin->from_tick = tick_of_ns(trace, pt_bound_ns(&options->from, wall_ns, 0));
    if (options->to.unit != PT_BOUND_NONE) {
        uint64_t to_ns = pt_bound_ns(&options->to, wall_ns, UINT64_MAX);
        origin->to_tick = to_ns > wall_ns ? UINT64_MAX : tick_of_ns(trace, to_ns);
    }
}

static enum pt_status choose_threads(struct pt_input *input, const struct pt_options *options)
{
    size_t most = 0;
    for (size_t i = 0; i < input->trace_count; i++)
        most += input->traces[i].trace->thread_count;
    input->threads = calloc(most + 1, sizeof *input->threads);
    if (!input->threads)
        return PT_NOMEM;

    uint64_t thread_offset = 0;
    uint64_t process_offset = 0;
    for (size_t i = 0; i < input->trace_count; i++) {
        struct pt_input_trace *origin = &input->traces[i];
        const struct pt_trace *trace = origin->trace;
        origin->process_offset = process_offset;
        for (size_t t = 0; t < trace->thread_count; t++) {
            const struct pt_trace_thread *thread = &trace->threads[t];
            uint64_t tid = thread_offset + thread->meta.serial;
            uint64_t pid = process_offset + thread->meta.process;
            if (thread->meta.serial == 0 || !pt_serials_contain(&options->tids, tid) ||
                !pt_serials_contain(&options->pids, pid))
                continue;
            input->threads[input->thread_count++] =
                (struct pt_input_thread){.origin = origin, .thread = thread, .tid = tid, .pid = pid};
            for (size_t c = 0; c < thread->chunk_count; c++)
                input->events += thread->chunks[c].info.events;
        }
        if (options->base_count > 0)
            continue; /* in a comparison the numbers of each trace are its own, so that --tid 1 is one on either side */
        thread_offset += trace->thread_count;
        process_offset += trace->process_count;
    }
    return PT_OK;
}

static enum pt_status choose_clock(struct pt_input_trace *origin, const struct pt_options *options, const char *path,
                                   struct pt_error *error)
{
    const struct pt_header *header = &origin->trace->header;
    origin->clock_ns = origin->tick_ns = pt_trace_tick_ns(origin->trace);
    if (!options->compensate)
        return PT_OK;
    if (!origin->trace->has_header || !pt_cost_is_measured(&header->costs[PT_COST_CALL]))
        return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                            "--compensate: %s does not tell what recording cost (see the README)", path);
    pt_compensation_init(&origin->compensation, header->costs, origin->tick_ns);
    origin->clock_ns = origin->tick_ns / (double)(1u << origin->compensation.shift);
    return PT_OK;
}

enum pt_status pt_input_open(struct pt_input *input, const struct pt_options *options, struct pt_error *error)
{
    *input = (struct pt_input){.ranged = options->from.unit != PT_BOUND_NONE || options->to.unit != PT_BOUND_NONE};
    input->traces = calloc(options->trace_count, sizeof *input->traces);
    if (!input->traces)
        goto nomem;
    for (size_t i = 0; i < options->trace_count; i++) {
        const char *path = options->traces[i];
        struct pt_error reason = {.offset = PT_ERROR_NO_OFFSET};
        struct pt_trace_options how = {
            .late_checks_min = pt_command_verifies(options->command) ? 0 : LATE_CHECKS_MIN,
            .wait_ms = WAIT_MS,
            .waiting = options->quiet ? NULL : say_waiting,
            .context = (void *)(uintptr_t)path,
        };
        struct pt_input_trace *origin = &input->traces[i];
        enum pt_status status = pt_trace_open(&origin->trace, path, &how, &reason);
        if (status != PT_OK) {
            if (reason.text[0] == '\0')
                snprintf(reason.text, sizeof reason.text, "%s", pt_status_name(status));
            bool named = strstr(reason.text, path) != NULL; /* a failed system call has named it already */
            return pt_error_set(error, status, reason.offset, "%s%s%s", named ? "" : path, named ? "" : ": ",
                                reason.text);
        }
        input->trace_count++;
        PT_TRY(choose_clock(origin, options, path, error));
        choose_range(origin, options);
        uint64_t wall_ns = pt_trace_ns(origin->trace, pt_trace_end_tick(origin->trace));
        input->wall_ns = wall_ns > input->wall_ns ? wall_ns : input->wall_ns;
    }
    if (merge_functions(input) != PT_OK || choose_threads(input, options) != PT_OK)
        goto nomem;
    return PT_OK;
nomem:
    return pt_error_set(error, PT_NOMEM, PT_ERROR_NO_OFFSET, "out of memory");
}

void pt_input_release(struct pt_input *input)
{
    for (size_t i = 0; i < input->trace_count; i++) {
        free(input->traces[i].functions);
        pt_trace_free(input->traces[i].trace);
    }
    free(input->traces);
    free(input->functions);
    free(input->threads);
    *input = (struct pt_input){0};
}
