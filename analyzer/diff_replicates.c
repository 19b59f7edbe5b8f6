#include "diff_replicates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEALS_MAX 5000 /* ways of dealing out; beyond that as many are drawn */
#define SEED      UINT64_C(0x9E3779B97F4A7C15)
#define SHARE     0.001 /* of all time: who has less is not tested, so that the others are held against fewer */
#define NEARLY    1e-9  /* two figures that differ by less, relatively, are the same one computed in another order */

/* A row that is tested: its figure in each trace is the mean time of a call, or the time where there are no calls. */
struct sample {
    struct pt_diff_row *row;
    double *scores;    /* by trace: the figure less the mean of all, in units in which their squares add up to 1 */
    double difference; /* of the means of the sides, relative to the base */
    double error;      /* of that difference: its standard deviation as the traces of a side tell it */
    double observed;   /* what the traces as they are make of it, see deal_score */
    size_t reached;    /* deals in which that is at least `observed` */
};

struct test {
    const struct pt_report *report;
    size_t count; /* of traces */
    size_t bases;
    struct sample *samples; /* the most different first */
    size_t sample_count;
    double *scores;
    size_t deals;
    double *maxima; /* by deal: the greatest score of any sample that is not known to differ */
};

/* --- Ways of dealing the traces out ----------------------------------------------------------------------------- */

/* How many there are, or DEALS_MAX if they are more. */
static size_t count_deals(size_t bases, size_t count)
{
    double deals = 1;
    for (size_t i = 1; i <= bases; i++)
        deals = deals * (double)(count - bases + i) / (double)i;
    return deals > DEALS_MAX ? DEALS_MAX : (size_t)(deals + 0.5);
}

/* With sides of one size, a deal and the one that swaps them say the same. */
static size_t twins(size_t bases, size_t news)
{
    return bases == news ? 2 : 1;
}

bool pt_diff_replicates_suffice(size_t bases, size_t news)
{
    return (double)twins(bases, news) <= PT_DIFF_LEVEL * (double)count_deals(bases, bases + news);
}

/* Which traces are the base: a set of positions, ascending. */
struct deal {
    size_t *bases;
    size_t size;
    size_t count;
    bool all; /* one after another; else they are drawn */
    uint64_t random;
    size_t *order; /* for drawing */
};

static uint64_t draw(struct deal *deal, uint64_t below)
{
    deal->random ^= deal->random << 13;
    deal->random ^= deal->random >> 7;
    deal->random ^= deal->random << 17;
    return deal->random % below;
}

/* From the deal as it is, the first `size` traces, on to the next one. */
static void next_deal(struct deal *deal)
{
    if (!deal->all) {
        for (size_t i = 0; i < deal->size; i++) {
            size_t at = i + (size_t)draw(deal, deal->count - i);
            size_t taken = deal->order[at];
            deal->order[at] = deal->order[i];
            deal->bases[i] = deal->order[i] = taken;
        }
        return;
    }
    size_t i = deal->size;
    while (i > 0 && deal->bases[i - 1] == deal->count - deal->size + i - 1)
        i--;
    if (i == 0)
        return;
    for (size_t value = deal->bases[i - 1] + 1; i <= deal->size; i++)
        deal->bases[i - 1] = value++;
}

/* --- Figures ---------------------------------------------------------------------------------------------------- */

/* How much the sides of a deal differ, from 0 to 1: the part that they have in the differences among all traces. */
static double deal_score(const struct test *test, const struct sample *sample, const size_t *bases)
{
    double sum = 0;
    for (size_t i = 0; i < test->bases; i++)
        sum += sample->scores[bases[i]];
    return fabs(sum) * sqrt((double)test->count / (double)(test->bases * (test->count - test->bases)));
}

static double mean_of(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return sum / (double)count;
}

static double squares_of(const double *values, size_t count, double mean)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sum;
}

/* Makes a sample of the figures that stand in its scores. */
static void describe(const struct test *test, struct sample *sample)
{
    const size_t bases = test->bases;
    const size_t news = test->count - bases;
    double *values = sample->scores;
    const double mean = mean_of(values, test->count);
    const double base_mean = mean_of(values, bases);
    const double new_mean = mean_of(values + bases, news);
    const double all = squares_of(values, test->count, mean);
    const double within = squares_of(values, bases, base_mean) + squares_of(values + bases, news, new_mean);
    sample->difference = new_mean / base_mean - 1;
    sample->error = sqrt(within / (double)(test->count - 2) * (1 / (double)bases + 1 / (double)news)) / base_mean;
    for (size_t i = 0; i < test->count; i++)
        values[i] = all > 0 && sqrt(all) > NEARLY * mean ? (values[i] - mean) / sqrt(all) : 0;
}

/* The figures of a row, if each trace has one, and if it matters. Both are asked of all traces alike, or the answer would tell
 * which side is which. */
static bool measure(const struct test *test, const struct pt_diff_rows *rows, const struct pt_diff_row *row,
                    double *figures)
{
    const double all_ns = (double)rows->total.all_ns[0] + (double)rows->total.all_ns[1];
    const bool calls = row->calls[0] + row->calls[1] > 0;
    double base = 0;
    if ((double)row->all_ns[0] + (double)row->all_ns[1] < SHARE * all_ns)
        return false;
    for (size_t i = 0; i < test->count; i++) {
        const struct pt_diff_cell *cell = &row->cells[i];
        if (calls && cell->calls == 0)
            return false;
        figures[i] = (double)pt_stream_ns(cell->self_clock, test->report->input->traces[i].clock_ns) /
                     (double)(calls ? cell->calls : 1);
        base += i < test->bases ? figures[i] : 0;
    }
    return base > 0;
}

static void measure_total(const struct test *test, const struct pt_diff_rows *rows, double *figures)
{
    memset(figures, 0, test->count * sizeof *figures);
    for (size_t r = 0; r < rows->count; r++)
        for (size_t i = 0; i < test->count; i++)
            figures[i] +=
                (double)pt_stream_ns(rows->rows[r].cells[i].self_clock, test->report->input->traces[i].clock_ns);
}

static int compare_samples(const void *a, const void *b)
{
    const struct sample *left = a;
    const struct sample *right = b;
    if (left->observed != right->observed)
        return left->observed < right->observed ? 1 : -1;
    return (left->row->number > right->row->number) - (left->row->number < right->row->number);
}

static enum pt_status collect(struct test *test, struct pt_diff_rows *rows, const size_t *as_it_is)
{
    test->samples = calloc(rows->count + 1, sizeof *test->samples);
    test->scores = calloc((rows->count + 1) * test->count, sizeof *test->scores);
    if (!test->samples || !test->scores)
        return PT_NOMEM;
    for (size_t i = 0; i <= rows->count; i++) {
        struct sample *sample = &test->samples[test->sample_count];
        *sample = (struct sample){.row = i < rows->count ? &rows->rows[i] : &rows->total,
                                  .scores = &test->scores[test->sample_count * test->count]};
        if (i == rows->count)
            measure_total(test, rows, sample->scores);
        else if (sample->row->verdict != PT_DIFF_CANT_TELL || !measure(test, rows, sample->row, sample->scores))
            continue;
        describe(test, sample);
        sample->observed = deal_score(test, sample, as_it_is);
        test->sample_count++;
    }
    qsort(test->samples, test->sample_count, sizeof *test->samples, compare_samples);
    return PT_OK;
}

/* --- The test --------------------------------------------------------------------------------------------------- */

/* In each deal a sample is held against the greatest score of itself and those that differ less (the step-down method of
 * Westfall and Young): whoever differs more has been judged before, and if it does differ, must not speak here. */
static void run_deals(struct test *test, struct deal *deal)
{
    for (size_t d = 0; d < test->deals; d++) {
        double greatest = 0;
        if (d > 0)
            next_deal(deal);
        for (size_t i = test->sample_count; i-- > 0;) {
            struct sample *sample = &test->samples[i];
            greatest = fmax(greatest, deal_score(test, sample, deal->bases));
            sample->reached += greatest >= sample->observed * (1 - NEARLY);
        }
    }
}

/* How often samples from `from` on, which are not known to differ, reach what. */
static void find_maxima(struct test *test, struct deal *deal, size_t from)
{
    for (size_t d = 0; d < test->deals; d++) {
        test->maxima[d] = 0;
        if (d > 0)
            next_deal(deal);
        for (size_t i = from; i < test->sample_count; i++)
            test->maxima[d] = fmax(test->maxima[d], deal_score(test, &test->samples[i], deal->bases));
    }
}

static int compare_descending(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left < right) - (left > right);
}

/* How many standard deviations a difference has to have to be seen. */
static double visible_errors(struct test *test)
{
    const size_t own = twins(test->bases, test->count - test->bases);
    const size_t allowed = (size_t)(PT_DIFF_LEVEL * (double)test->deals * (1 + NEARLY));
    /* What is to be seen takes the place of the first deal, which is how the traces are, and of its twin. */
    qsort(test->maxima + 1, test->deals - 1, sizeof *test->maxima, compare_descending);
    double score = test->maxima[1 + (allowed > own ? allowed - own : 0)];
    return score < 1 ? score * sqrt((double)(test->count - 2) / (1 - score * score)) : INFINITY;
}

/* The recorder's own work (a new page, waking the drain) falls into whichever function is at hand, and into the same one in
 * every run of a program. It is little: of so little nobody says that the program has changed. */
static bool matters(const struct sample *sample, const struct pt_diff_row *total)
{
    const double time_ns = sample->difference * (double)sample->row->self_ns[PT_SIDE_BASE];
    return fabs(time_ns) >= SHARE * (double)total->self_ns[PT_SIDE_BASE];
}

static void conclude(struct sample *sample, const struct pt_diff_row *total, double q, double errors)
{
    struct pt_diff_row *row = sample->row;
    row->q = q;
    row->visible = sample->error > 0 ? errors * sample->error : 0;
    row->visible_ns = row->visible * (double)row->self_ns[PT_SIDE_BASE];
    if (row->number == PT_DIFF_ROW_TOTAL)
        row->speed = sample->difference;
    if (q <= PT_DIFF_LEVEL && matters(sample, total))
        row->verdict = sample->difference > 0 ? PT_DIFF_SLOWER : PT_DIFF_FASTER;
    else if (fabs(sample->difference) + row->visible <= PT_DIFF_MARGIN)
        row->verdict = PT_DIFF_UNCHANGED;
    else
        row->verdict = PT_DIFF_CANT_TELL;
}

static enum pt_status begin_deals(struct deal *deal, const struct test *test)
{
    deal->bases = deal->bases ? deal->bases : calloc(test->bases, sizeof *deal->bases);
    deal->order = deal->order ? deal->order : calloc(test->count, sizeof *deal->order);
    if (!deal->bases || !deal->order)
        return PT_NOMEM;
    deal->size = test->bases;
    deal->count = test->count;
    deal->all = test->deals < DEALS_MAX;
    deal->random = SEED;
    for (size_t i = 0; i < test->bases; i++)
        deal->bases[i] = i;
    for (size_t i = 0; i < test->count; i++)
        deal->order[i] = i;
    return PT_OK;
}

enum pt_status pt_diff_replicates_judge(struct pt_diff_rows *rows, const struct pt_report *report)
{
    struct test test = {.report = report, .count = report->input->trace_count, .bases = report->options->base_count};
    struct deal deal = {0};
    size_t differing = 0;
    double q = 0;
    test.deals = count_deals(test.bases, test.count);
    test.maxima = calloc(test.deals, sizeof *test.maxima);
    enum pt_status status = test.maxima ? begin_deals(&deal, &test) : PT_NOMEM;
    if (status == PT_OK)
        status = collect(&test, rows, deal.bases);
    if (status != PT_OK)
        goto cleanup;
    run_deals(&test, &deal);
    while (differing < test.sample_count &&
           (double)test.samples[differing].reached <= PT_DIFF_LEVEL * (double)test.deals)
        differing++;
    status = begin_deals(&deal, &test);
    if (status != PT_OK)
        goto cleanup;
    find_maxima(&test, &deal, differing);
    double errors = visible_errors(&test);
    for (size_t i = 0; i < test.sample_count; i++) {
        q = fmax(q, (double)test.samples[i].reached / (double)test.deals);
        conclude(&test.samples[i], &rows->total, q, errors);
    }
cleanup:
    free(deal.bases);
    free(deal.order);
    free(test.samples);
    free(test.scores);
    free(test.maxima);
    return status;
}
