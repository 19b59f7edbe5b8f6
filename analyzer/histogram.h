/* Distributions of durations: log-linear buckets, 32 to a power of two.
 *
 * A quantile is the middle of its bucket, so it is off by at most 1/64 (1.6 %); values below 64, the least and the
 * greatest are exact. Memory follows the span of the values (256 bytes for each power of two between them), not their
 * number. */
#ifndef PT_HISTOGRAM_H
#define PT_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

#define PT_HISTOGRAM_BITS 5 /* buckets to a power of two, as a power of two */

/* All zero is empty. Buckets outside of [first, first + size) are zero. */
struct pt_histogram {
    uint64_t *counts;
    uint32_t first;
    uint32_t size;
    uint64_t count;
    uint64_t least; /* meaningless while count is 0 */
    uint64_t greatest;
};

/* The bucket of a value. */
static inline uint32_t pt_histogram_bucket(uint64_t value)
{
    unsigned shift = 58u - (unsigned)__builtin_clzll(value | (UINT64_C(1) << PT_HISTOGRAM_BITS));
    return (shift << PT_HISTOGRAM_BITS) + (uint32_t)(value >> shift);
}

/* Makes room for a bucket. PT_NOMEM. */
PT_MUST_USE enum pt_status pt_histogram_cover(struct pt_histogram *histogram, uint32_t bucket);

/* A value that compensation has made less than nothing counts as 0. PT_NOMEM: the value was not added. */
PT_MUST_USE static inline enum pt_status pt_histogram_add(struct pt_histogram *histogram, uint64_t value)
{
    value = (int64_t)value > 0 ? value : 0;
    uint32_t bucket = pt_histogram_bucket(value);
    if (__builtin_expect(bucket - histogram->first >= histogram->size, 0))
        PT_TRY(pt_histogram_cover(histogram, bucket));
    histogram->counts[bucket - histogram->first]++;
    if (histogram->count++ == 0 || value < histogram->least)
        histogram->least = value;
    if (value > histogram->greatest)
        histogram->greatest = value;
    return PT_OK;
}

/* Adds all values of `from`, each times `factor` (exactly for 1.0, else from bucket to bucket, which may add its error
 * once more). PT_NOMEM. */
PT_MUST_USE enum pt_status pt_histogram_merge(struct pt_histogram *into, const struct pt_histogram *from,
                                              double factor);

/* The least value that at least `share` (0 to 1) of the values do not exceed; 0 if there are none. */
uint64_t pt_histogram_quantile(const struct pt_histogram *histogram, double share);

void pt_histogram_release(struct pt_histogram *histogram);

#endif
