#include "histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OCTAVE (UINT32_C(1) << PT_HISTOGRAM_BITS)

/* The middle of a bucket, rounded down. */
static uint64_t bucket_middle(uint32_t bucket)
{
    if (bucket < 2 * OCTAVE)
        return bucket;
    unsigned shift = (bucket >> PT_HISTOGRAM_BITS) - 1;
    uint64_t low = (uint64_t)(bucket - (shift << PT_HISTOGRAM_BITS)) << shift;
    return low + (UINT64_C(1) << shift) / 2;
}

/* Grows by whole powers of two, so that a function whose calls take about equally long needs one or two allocations. */
enum pt_status pt_histogram_cover(struct pt_histogram *histogram, uint32_t bucket)
{
    uint32_t first = bucket & ~(OCTAVE - 1);
    uint32_t end = first + OCTAVE;
    if (histogram->size > 0) {
        first = first < histogram->first ? first : histogram->first;
        end = end > histogram->first + histogram->size ? end : histogram->first + histogram->size;
    }
    uint64_t *counts = calloc(end - first, sizeof *counts);
    if (!counts)
        return PT_NOMEM;
    if (histogram->size > 0)
        memcpy(counts + (histogram->first - first), histogram->counts, histogram->size * sizeof *counts);
    free(histogram->counts);
    histogram->counts = counts;
    histogram->first = first;
    histogram->size = end - first;
    return PT_OK;
}

static uint64_t scaled(uint64_t value, double factor)
{
    return factor == 1.0 ? value : (uint64_t)llround((double)value * factor);
}

enum pt_status pt_histogram_merge(struct pt_histogram *into, const struct pt_histogram *from, double factor)
{
    if (from->count == 0)
        return PT_OK;
    for (uint32_t i = 0; i < from->size; i++) {
        if (from->counts[i] == 0)
            continue;
        uint32_t bucket = pt_histogram_bucket(scaled(bucket_middle(from->first + i), factor));
        if (bucket - into->first >= into->size)
            PT_TRY(pt_histogram_cover(into, bucket));
        into->counts[bucket - into->first] += from->counts[i];
    }
    uint64_t least = scaled(from->least, factor);
    uint64_t greatest = scaled(from->greatest, factor);
    into->least = into->count == 0 || least < into->least ? least : into->least;
    into->greatest = greatest > into->greatest ? greatest : into->greatest;
    into->count += from->count;
    return PT_OK;
}

uint64_t pt_histogram_quantile(const struct pt_histogram *histogram, double share)
{
    if (histogram->count == 0)
        return 0;
    uint64_t rank = (uint64_t)ceil(share * (double)histogram->count);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < histogram->size; i++) {
        seen += histogram->counts[i];
        if (seen < rank || seen == 0)
            continue;
        uint64_t middle = bucket_middle(histogram->first + i);
        if (middle < histogram->least)
            return histogram->least;
        return middle < histogram->greatest ? middle : histogram->greatest;
    }
    return histogram->greatest;
}

void pt_histogram_release(struct pt_histogram *histogram)
{
    free(histogram->counts);
    *histogram = (struct pt_histogram){0};
}
