#include "flights.h"

#include <stdlib.h>

#include "raise_types.h"
#include "stash.h"

/* Flights that a function may have in hand: those that it handles, one within the other. Beyond that the oldest counts as
 * caught. */
#define IN_HAND_MAX 8

/* In place of a suspended flight: there was one. */
#define GONE UINT32_MAX

/* One that has not ended. Lists of them are linked by `next`, the latest first. */
struct live {
    uint32_t site;
    uint32_t function;
    uint32_t last; /* the last function that it was seen in */
    uint32_t next;
    uint64_t left; /* functions */
};

struct frame {
    uint32_t function; /* NOBODY: the bottom of the stack */
    uint32_t in_hand;  /* flights that were seen in this activation */
    uint32_t arriving; /* that left what it had called, and were not seen in it since */
    bool is_c;
};

struct pt_flights_private {
    const struct pt_input *input;
    bool by_function;
    uint32_t *types;     /* by raise site: equal for equal types */
    uint32_t *suspended; /* by function: the flight that its last activation had in hand when it returned: if that was
                            a yield it may go on. 0 or GONE for none */
    uint32_t *resting;   /* functions for which that is not 0 */
    size_t resting_count;
    size_t resting_capacity;
    struct live *lives; /* [0] is not used */
    uint32_t live_count;
    uint32_t live_capacity;
    uint32_t unused;      /* list */
    bool undecided;       /* the last step was an exception, or a leave by one */
    struct frame *frames; /* [0] is the bottom, once there is anything */
    size_t depth;
    size_t capacity;
    struct pt_stash stash;
};

/* --- Ends -------------------------------------------------------------------------------------------------------- */

/* Counts a flight that has ended, and gives its place back. */
static enum pt_status end_one(struct pt_flights *flights, uint32_t index, enum pt_flight_end end, uint32_t by,
                              uint64_t left)
{
    struct pt_flights_private *inner = flights->inner;
    struct live *live = &inner->lives[index];
    const struct pt_flight key = {.site = live->site, .function = live->function, .by = by, .end = end};
    PT_TRY(pt_flight_rows_add(&flights->ended, &key, left));
    live->next = inner->unused;
    inner->unused = index;
    return PT_OK;
}

/* The whole list was caught in the function that has it in hand. */
static enum pt_status end_in_hand(struct pt_flights *flights, uint32_t *list)
{
    const struct pt_flights_private *inner = flights->inner;
    while (*list) {
        const uint32_t index = *list;
        *list = inner->lives[index].next;
        PT_TRY(end_one(flights, index, PT_FLIGHT_CAUGHT, inner->lives[index].last, inner->lives[index].left));
    }
    return PT_OK;
}

/* Of a list that has left a function, one at most was on its way, the latest: `end` tells of that. The others had been
 * caught in there before. */
static enum pt_status end_arriving(struct pt_flights *flights, uint32_t *list, enum pt_flight_end end, uint32_t by)
{
    const struct pt_flights_private *inner = flights->inner;
    const uint32_t latest = *list;
    if (!latest)
        return PT_OK;
    *list = inner->lives[latest].next;
    PT_TRY(end_one(flights, latest, end, by, inner->lives[latest].left));
    while (*list) {
        const uint32_t index = *list;
        *list = inner->lives[index].next;
        PT_TRY(end_one(flights, index, PT_FLIGHT_CAUGHT, inner->lives[index].last, inner->lives[index].left - 1));
    }
    return PT_OK;
}

/* What arrived at a frame that then shows that it has not got it. */
static enum pt_status end_lost_on_the_way(struct pt_flights *flights, struct frame *frame)
{
    const bool is_bottom = frame->function == PT_FLIGHTS_NOBODY;
    return end_arriving(flights, &frame->arriving, is_bottom ? PT_FLIGHT_LEFT : PT_FLIGHT_SWALLOWED, frame->function);
}

/* --- Life -------------------------------------------------------------------------------------------------------- */

enum pt_status pt_flights_new(struct pt_flights **out, const struct pt_input *input, size_t numbers, bool by_function)
{
    struct pt_flights *flights = calloc(1, sizeof *flights);
    struct pt_flights_private *inner = calloc(1, sizeof *inner);
    if (!flights || !inner) {
        free(flights);
        free(inner);
        return PT_NOMEM;
    }
    flights->inner = inner;
    inner->input = input;
    inner->by_function = by_function;
    inner->suspended = calloc(numbers + 1, sizeof *inner->suspended);
    if (!inner->suspended || pt_raise_types_make(&inner->types, input) != PT_OK) {
        pt_flights_free(flights);
        return PT_NOMEM;
    }
    *out = flights;
    return PT_OK;
}

void pt_flights_free(struct pt_flights *flights)
{
    if (!flights)
        return;
    struct pt_flights_private *inner = flights->inner;
    pt_stash_release(&inner->stash);
    free(inner->types);
    free(inner->suspended);
    free(inner->resting);
    free(inner->lives);
    free(inner->frames);
    free(inner);
    pt_flight_rows_release(&flights->ended);
    free(flights);
}

/* --- Frames ------------------------------------------------------------------------------------------------------ */

static enum pt_status push(struct pt_flights_private *inner, uint32_t function)
{
    if (inner->depth == inner->capacity) {
        size_t capacity = inner->capacity ? 2 * inner->capacity : 16;
        struct frame *frames = reallocarray(inner->frames, capacity, sizeof *frames);
        if (!frames)
            return PT_NOMEM;
        inner->frames = frames;
        inner->capacity = capacity;
    }
    const bool is_known = inner->by_function && function != PT_FLIGHTS_NOBODY;
    inner->frames[inner->depth++] = (struct frame){
        .function = function,
        .is_c = is_known && inner->input->functions[function].kind == PT_NAME_C,
    };
    return PT_OK;
}

static enum pt_status ensure_bottom(struct pt_flights_private *inner)
{
    return inner->depth > 0 ? PT_OK : push(inner, PT_FLIGHTS_NOBODY);
}

/* The latest flight that a frame has in hand is kept, in case that it only yielded. */
static enum pt_status suspend(struct pt_flights *flights, struct frame *frame)
{
    struct pt_flights_private *inner = flights->inner;
    uint32_t *place = &inner->suspended[frame->function];
    const uint32_t latest = frame->in_hand;
    if (!latest)
        return PT_OK;
    PT_TRY(end_in_hand(flights, &inner->lives[latest].next));
    if (*place && *place != GONE)
        PT_TRY(end_in_hand(flights, place));
    else if (*place == 0) {
        if (inner->resting_count == inner->resting_capacity) {
            size_t capacity = inner->resting_capacity ? 2 * inner->resting_capacity : 64;
            uint32_t *resting = reallocarray(inner->resting, capacity, sizeof *resting);
            if (!resting)
                return PT_NOMEM;
            inner->resting = resting;
            inner->resting_capacity = capacity;
        }
        inner->resting[inner->resting_count++] = frame->function;
    }
    *place = latest;
    frame->in_hand = 0;
    return PT_OK;
}

static enum pt_status end_one_open(struct pt_flights *flights, uint32_t *list)
{
    const uint32_t latest = *list;
    *list = flights->inner->lives[latest].next;
    return end_one(flights, latest, PT_FLIGHT_OPEN, PT_FLIGHTS_NOBODY, flights->inner->lives[latest].left);
}

static enum pt_status leave(struct pt_flights *flights, enum pt_step_kind kind)
{
    struct pt_flights_private *inner = flights->inner;
    if (inner->depth < 2)
        return PT_OK;
    struct frame frame = inner->frames[--inner->depth];
    struct frame *below = &inner->frames[inner->depth - 1];
    uint32_t flying = 0;
    if (kind == PT_STEP_CLOSE && inner->undecided) {
        inner->undecided = false;
        PT_TRY(end_arriving(flights, &frame.arriving, PT_FLIGHT_OPEN, PT_FLIGHTS_NOBODY));
        PT_TRY(frame.in_hand ? end_one_open(flights, &frame.in_hand) : PT_OK);
    }
    if (kind != PT_STEP_RAISE) {
        PT_TRY(end_lost_on_the_way(flights, &frame));
        return suspend(flights, &frame);
    }
    if (frame.in_hand) {
        PT_TRY(end_lost_on_the_way(flights, &frame));
        flying = frame.in_hand;
    } else if (frame.arriving) {
        flying = frame.arriving;
    } else if (!frame.is_c) {
        uint32_t *place = &inner->suspended[frame.function];
        flying = *place != GONE ? *place : 0;
        *place = flying ? GONE : *place;
    }
    for (uint32_t index = flying; index && !frame.is_c; index = inner->lives[index].next)
        inner->lives[index].left++;
    if (flying && below->arriving)
        PT_TRY(end_lost_on_the_way(flights, below));
    if (flying)
        below->arriving = flying;
    return PT_OK;
}

/* --- Exceptions -------------------------------------------------------------------------------------------------- */

/* Takes the latest flight of this type off the list of those that arrive. 0: there is none. */
static uint32_t take_arriving(struct pt_flights_private *inner, uint32_t *list, uint32_t type)
{
    for (uint32_t *at = list; *at; at = &inner->lives[*at].next) {
        const uint32_t index = *at;
        if (inner->types[inner->lives[index].site] != type)
            continue;
        *at = inner->lives[index].next;
        return index;
    }
    return 0;
}

static enum pt_status begin_flight(struct pt_flights_private *inner, uint32_t site, uint32_t function, uint32_t *index)
{
    *index = inner->unused;
    if (*index) {
        inner->unused = inner->lives[*index].next;
    } else {
        if (inner->live_count + 1 >= inner->live_capacity) {
            uint32_t capacity = inner->live_capacity ? 2 * inner->live_capacity : 64;
            struct live *lives = reallocarray(inner->lives, capacity, sizeof *lives);
            if (!lives)
                return PT_NOMEM;
            inner->lives = lives;
            inner->live_capacity = capacity;
        }
        *index = ++inner->live_count;
    }
    inner->lives[*index] = (struct live){.site = site, .function = function};
    return PT_OK;
}

/* The list of what a frame has in hand stays short. */
static enum pt_status drop_oldest(struct pt_flights *flights, struct frame *frame)
{
    struct live *lives = flights->inner->lives;
    uint32_t *at = &frame->in_hand;
    for (unsigned i = 0; i < IN_HAND_MAX && *at; i++)
        at = &lives[*at].next;
    return end_in_hand(flights, at);
}

/* What arrived and is not this exception was caught where it was seen last. */
static enum pt_status meet(struct pt_flights *flights, uint32_t site)
{
    struct pt_flights_private *inner = flights->inner;
    size_t depth = inner->depth;
    while (depth > 1 && inner->frames[depth - 1].is_c)
        depth--;
    struct frame *frame = &inner->frames[depth - 1];
    uint32_t index = take_arriving(inner, &frame->arriving, inner->types[site]);
    if (index) {
        while (frame->arriving) {
            const uint32_t other = frame->arriving;
            const struct live *live = &inner->lives[other];
            frame->arriving = live->next;
            PT_TRY(end_one(flights, other, PT_FLIGHT_CAUGHT, live->last, live->left - 1));
        }
    } else {
        PT_TRY(end_lost_on_the_way(flights, frame));
        PT_TRY(begin_flight(inner, site, frame->function, &index));
    }
    inner->lives[index].last = frame->function;
    inner->lives[index].next = frame->in_hand;
    frame->in_hand = index;
    return drop_oldest(flights, frame);
}

/* Another greenlet goes on. An exception that has ended the one before arrives in it. */
static enum pt_status switch_to(struct pt_flights *flights, const struct pt_step *step)
{
    struct pt_flights_private *inner = flights->inner;
    uint32_t flying = 0;
    if (inner->depth == 1) {
        flying = inner->frames[0].arriving;
        inner->frames[0].arriving = 0;
    }
    struct pt_stash_stack frames = {inner->frames, inner->depth, inner->capacity, 0, 0};
    uint64_t away;
    PT_TRY(pt_stash_switch(&inner->stash, step->function, step->clock, &frames, &away));
    inner->frames = frames.frames;
    inner->depth = frames.depth;
    inner->capacity = frames.capacity;
    PT_TRY(ensure_bottom(inner));
    struct frame *top = &inner->frames[inner->depth - 1];
    if (flying && top->arriving)
        PT_TRY(end_lost_on_the_way(flights, top));
    if (flying)
        top->arriving = flying;
    return PT_OK;
}

/* --- Steps ------------------------------------------------------------------------------------------------------- */

enum pt_status pt_flights_add(struct pt_flights *flights, const struct pt_step *steps, size_t count)
{
    PT_TRY(ensure_bottom(flights->inner));
    for (size_t i = 0; i < count; i++) {
        switch ((enum pt_step_kind)steps[i].kind) {
        case PT_STEP_CALL:
        case PT_STEP_OPEN:
            PT_TRY(push(flights->inner, steps[i].function));
            flights->inner->undecided = false;
            break;
        case PT_STEP_LEAVE:
        case PT_STEP_RAISE:
        case PT_STEP_CLOSE:
            PT_TRY(leave(flights, steps[i].kind));
            flights->inner->undecided =
                steps[i].kind == PT_STEP_RAISE || (flights->inner->undecided && steps[i].kind == PT_STEP_CLOSE);
            break;
        case PT_STEP_SWITCH:
            PT_TRY(switch_to(flights, &steps[i]));
            break;
        case PT_STEP_EXCEPTION:
            PT_TRY(meet(flights, steps[i].function));
            flights->inner->undecided = true;
            break;
        case PT_STEP_PAUSE:
        case PT_STEP_SKIP:
        case PT_STEP_LINE:
        case PT_STEP_OPCODE:
            break;
        }
    }
    return PT_OK;
}

enum pt_status pt_flights_end_thread(struct pt_flights *flights)
{
    struct pt_flights_private *inner = flights->inner;
    PT_TRY(ensure_bottom(inner));
    while (inner->depth > 1)
        PT_TRY(leave(flights, PT_STEP_CLOSE));
    PT_TRY(end_lost_on_the_way(flights, &inner->frames[0]));
    PT_TRY(end_in_hand(flights, &inner->frames[0].in_hand));
    while (inner->resting_count > 0) {
        uint32_t *place = &inner->suspended[inner->resting[--inner->resting_count]];
        if (*place != GONE)
            PT_TRY(end_in_hand(flights, place));
        *place = 0;
    }
    return PT_OK;
}
