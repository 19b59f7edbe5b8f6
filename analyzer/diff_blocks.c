#include "diff_blocks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diff_read.h"

#define DEALS        9999
#define ENOUGH       50    /* deals that differ as much: then it is clear that this is nothing */
#define LEVEL        0.05  /* of the q-values */
#define SHARE        0.001 /* of all time: who has less is not tested */
#define BLOCKS_LEAST 6     /* a side, in which the function is called */
#define SEED         UINT64_C(0x9E3779B97F4A7C15)

/* --- Reading ---------------------------------------------------------------------------------------------------- */

enum pt_status pt_diff_blocks_init(struct pt_diff_blocks *blocks, size_t functions, size_t trace_count)
{
    blocks->trace_count = trace_count;
    blocks->cells = calloc(functions * trace_count, PT_DIFF_BLOCKS * sizeof *blocks->cells);
    return blocks->cells ? PT_OK : PT_NOMEM;
}

void pt_diff_blocks_release(struct pt_diff_blocks *blocks)
{
    free(blocks->cells);
    free(blocks->frames);
    pt_stash_release(&blocks->stash);
    *blocks = (struct pt_diff_blocks){0};
}

void pt_diff_blocks_begin(struct pt_diff_blocks *blocks, const struct pt_input_thread *thread, size_t trace)
{
    const struct pt_trace_thread *chunks = thread->thread;
    blocks->trace = trace;
    blocks->span = 1;
    blocks->depth = 0;
    blocks->began = false;
    if (chunks->chunk_count > 0)
        blocks->span += chunks->chunks[chunks->chunk_count - 1].info.last_tick - chunks->chunks[0].info.first_tick;
    blocks->span <<= thread->origin->compensation.shift;
}

static struct pt_diff_cell *cell_of(const struct pt_diff_blocks *blocks, uint32_t function, size_t block)
{
    return &blocks->cells[(function * blocks->trace_count + blocks->trace) * PT_DIFF_BLOCKS + block];
}

static enum pt_status push(struct pt_diff_blocks *blocks, uint32_t function)
{
    if (blocks->depth == blocks->capacity) {
        size_t capacity = blocks->capacity ? 2 * blocks->capacity : 64;
        uint32_t *frames = reallocarray(blocks->frames, capacity, sizeof *frames);
        if (!frames)
            return PT_NOMEM;
        blocks->frames = frames;
        blocks->capacity = capacity;
    }
    blocks->frames[blocks->depth++] = function;
    return PT_OK;
}

static enum pt_status switch_to(struct pt_diff_blocks *blocks, uint32_t place)
{
    struct pt_stash_stack stack = {blocks->frames, blocks->depth, blocks->capacity, 0, 0};
    uint64_t away;
    PT_TRY(pt_stash_switch(&blocks->stash, place, 0, &stack, &away));
    blocks->frames = stack.frames;
    blocks->depth = stack.depth;
    blocks->capacity = stack.capacity;
    return PT_OK;
}

/* The block that a step falls into. A damaged chunk may tell any time, and costs that are taken away turn the clock back. */
static size_t block_at(const struct pt_diff_blocks *blocks, uint64_t clock)
{
    double part = (double)(int64_t)(clock - blocks->first) / (double)blocks->span;
    return part < 0 ? 0 : part < 1 ? (size_t)(part * PT_DIFF_BLOCKS) : PT_DIFF_BLOCKS - 1;
}

enum pt_status pt_diff_blocks_add(struct pt_diff_blocks *blocks, const struct pt_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct pt_step *step = &steps[i];
        if (!blocks->began)
            blocks->first = blocks->clock = step->clock;
        blocks->began = true;
        const size_t block = block_at(blocks, step->clock);
        if (blocks->depth > 0 && step->kind != PT_STEP_SKIP)
            cell_of(blocks, blocks->frames[blocks->depth - 1], block)->self_clock += step->clock - blocks->clock;
        blocks->clock = step->clock;
        switch ((enum pt_step_kind)step->kind) {
        case PT_STEP_CALL:
            cell_of(blocks, step->function, block)->calls++;
            PT_TRY(push(blocks, step->function));
            break;
        case PT_STEP_OPEN:
            PT_TRY(push(blocks, step->function));
            break;
        case PT_STEP_LEAVE:
        case PT_STEP_RAISE:
        case PT_STEP_CLOSE:
            blocks->depth -= blocks->depth > 0;
            break;
        case PT_STEP_SWITCH:
            PT_TRY(switch_to(blocks, step->function));
            break;
        default:
            break;
        }
    }
    return PT_OK;
}

/* --- Judging ---------------------------------------------------------------------------------------------------- */

/* What a function did in a block in which it was called. */
struct piece {
    double time_ns;
    double calls;
};

struct sample {
    struct pt_diff_row *row;
    double change;  /* logarithm of the ratio of the mean times of a call */
    double typical; /* the same of the blocks in the middle */
    double p;
};

/* The pieces of the base, then those of the new side. */
static size_t gather(const struct pt_diff_blocks *blocks, const struct pt_diff_row *row, const struct pt_report *report,
                     struct piece *pieces, size_t *bases)
{
    const struct pt_diff_cell *cells = &blocks->cells[row->function * blocks->trace_count * PT_DIFF_BLOCKS];
    size_t count = 0;
    for (size_t i = 0; i < blocks->trace_count * PT_DIFF_BLOCKS; i++) {
        const size_t trace = i / PT_DIFF_BLOCKS;
        if (cells[i].calls == 0)
            continue;
        pieces[count++] = (struct piece){
            (double)pt_stream_ns(cells[i].self_clock, report->input->traces[trace].clock_ns), (double)cells[i].calls};
        if (pt_diff_side(report, trace) == PT_SIDE_BASE)
            *bases = count;
    }
    return count;
}

/* How much dearer a call is in the pieces behind the first `bases`. */
static double difference(const struct piece *pieces, size_t bases, size_t count)
{
    struct piece sums[2] = {{0, 0}, {0, 0}};
    for (size_t i = 0; i < count; i++) {
        sums[i >= bases].time_ns += pieces[i].time_ns;
        sums[i >= bases].calls += pieces[i].calls;
    }
    return sums[1].time_ns / sums[1].calls - sums[0].time_ns / sums[0].calls;
}

static int compare_reals(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_reals);
    return values[count / 2];
}

/* The change as the block in the middle has it, so that no single one decides: a file that was read for the first time. */
static double typical_change(const struct piece *pieces, size_t bases, size_t count, double *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = pieces[i].time_ns / pieces[i].calls;
    return log(median(values + bases, count - bases) / median(values, bases));
}

static uint64_t draw(uint64_t *random, uint64_t below)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random % below;
}

static double chance(struct piece *pieces, size_t bases, size_t count)
{
    const double observed = fabs(difference(pieces, bases, count)) * (1 - 1e-9);
    uint64_t random = SEED;
    size_t reached = 0;
    size_t deals = 0;
    while (deals < DEALS && reached < ENOUGH) {
        for (size_t i = 0; i < bases && i + 1 < count; i++) {
            size_t at = i + (size_t)draw(&random, count - i);
            struct piece taken = pieces[at];
            pieces[at] = pieces[i];
            pieces[i] = taken;
        }
        reached += fabs(difference(pieces, bases, count)) >= observed;
        deals++;
    }
    return (1.0 + (double)reached) / (1.0 + (double)deals);
}

static int compare_chances(const void *a, const void *b)
{
    const struct sample *left = a;
    const struct sample *right = b;
    if (left->p != right->p)
        return left->p < right->p ? -1 : 1;
    return (left->row->number > right->row->number) - (left->row->number < right->row->number);
}

/* What all of them have in common: a machine that was slower meanwhile. */
static double common_change(const struct sample *samples, size_t count, double *changes)
{
    for (size_t i = 0; i < count; i++)
        changes[i] = samples[i].change;
    return median(changes, count);
}

/* q-values after Benjamini and Hochberg, from the greatest p to the least. */
static void conclude(struct sample *samples, size_t count, double common)
{
    const double drift = log(PT_DIFF_DRIFT);
    double q = 1;
    for (size_t i = count; i-- > 0;) {
        struct pt_diff_row *row = samples[i].row;
        const double least = fmin(samples[i].change, fmin(samples[i].change - common, samples[i].typical));
        const double most = fmax(samples[i].change, fmax(samples[i].change - common, samples[i].typical));
        q = fmin(q, samples[i].p * (double)count / (double)(i + 1));
        row->q = q;
        row->visible = PT_DIFF_DRIFT - 1;
        row->visible_ns = row->visible * (double)row->self_ns[PT_SIDE_BASE];
        if (q > LEVEL)
            continue;
        if (least > drift)
            row->verdict = PT_DIFF_SLOWER;
        else if (most < -drift)
            row->verdict = PT_DIFF_FASTER;
    }
}

enum pt_status pt_diff_blocks_judge(const struct pt_diff_blocks *blocks, struct pt_diff_rows *rows,
                                    const struct pt_report *report)
{
    const double least_ns = SHARE * ((double)rows->total.all_ns[0] + (double)rows->total.all_ns[1]);
    enum pt_status status = PT_NOMEM;
    size_t count = 0;
    struct piece *pieces = calloc(blocks->trace_count * PT_DIFF_BLOCKS, sizeof *pieces);
    struct sample *samples = calloc(rows->count + 1, sizeof *samples);
    double *values = calloc(rows->count + blocks->trace_count * PT_DIFF_BLOCKS, sizeof *values);
    if (!pieces || !samples || !values)
        goto cleanup;
    for (size_t i = 0; i < rows->count; i++) {
        struct pt_diff_row *row = &rows->rows[i];
        size_t bases = 0;
        size_t all = gather(blocks, row, report, pieces, &bases);
        if (row->verdict != PT_DIFF_CANT_TELL || (double)row->all_ns[0] + (double)row->all_ns[1] < least_ns ||
            bases < BLOCKS_LEAST || all - bases < BLOCKS_LEAST || !(row->speed > -1))
            continue;
        struct sample *sample = &samples[count++];
        *sample = (struct sample){.row = row, .change = log1p(row->speed)};
        sample->typical = typical_change(pieces, bases, all, values);
        sample->p = chance(pieces, bases, all); /* which leaves the pieces in another order */
    }
    if (count > 0) {
        qsort(samples, count, sizeof *samples, compare_chances);
        conclude(samples, count, common_change(samples, count, values));
    }
    status = PT_OK;
cleanup:
    free(pieces);
    free(samples);
    free(values);
    return status;
}
