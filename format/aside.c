#include "aside.h"

#include <stdlib.h>
#include <sys/random.h>

#define NO_PLACE UINT32_MAX

/* Each greenlet of which anything is open has a place, and the one that runs has one in any case. Places are found by
 * greenlet, through buckets. */
struct pt_aside {
    struct pt_aside_stack *places;
    uint32_t place_count; /* those from here on were never used */
    uint32_t capacity;    /* of places, and the number of buckets: a power of two */
    uint32_t *buckets;
    uint32_t free;    /* the first unused place, or NO_PLACE */
    uint32_t running; /* place of the greenlet that runs: its frames are in the struct pt_stack */
    uint32_t count;   /* stacks that are set aside */
    size_t frames;    /* of all of them */
    uint64_t chunk;
    uint64_t secret; /* numbers may come from a hostile file: which of them share a bucket is nobody's to know */
};

static uint32_t *bucket_of(const struct pt_aside *aside, uint64_t greenlet)
{
    const unsigned __int128 product = (unsigned __int128)(greenlet ^ UINT64_C(0x9E3779B97F4A7C15)) * aside->secret;
    return &aside->buckets[((uint64_t)product ^ (uint64_t)(product >> 64)) & (aside->capacity - 1)];
}

static uint32_t find_place(const struct pt_aside *aside, uint64_t greenlet)
{
    uint32_t place = *bucket_of(aside, greenlet);
    while (place != NO_PLACE && aside->places[place].greenlet != greenlet)
        place = aside->places[place].next;
    return place;
}

/* --- Places ------------------------------------------------------------------------------------------------------- */

static enum pt_status grow(struct pt_aside *aside)
{
    const uint32_t capacity = aside->capacity ? 2 * aside->capacity : 16;
    struct pt_aside_stack *places = realloc(aside->places, capacity * sizeof *places);
    if (!places)
        return PT_NOMEM;
    aside->places = places;
    uint32_t *buckets = malloc(capacity * sizeof *buckets);
    if (!buckets)
        return PT_NOMEM;
    free(aside->buckets);
    aside->buckets = buckets;
    aside->capacity = capacity;
    for (uint32_t i = 0; i < capacity; i++)
        buckets[i] = NO_PLACE;
    /* No place is free when this is called. */
    for (uint32_t place = 0; place < aside->place_count; place++) {
        uint32_t *bucket = bucket_of(aside, places[place].greenlet);
        places[place].next = *bucket;
        *bucket = place;
    }
    return PT_OK;
}

static enum pt_status take_place(struct pt_aside *aside, uint64_t greenlet, uint32_t *out)
{
    uint32_t place = aside->free;
    if (place == NO_PLACE && aside->place_count == aside->capacity)
        PT_TRY(grow(aside));
    if (place != NO_PLACE)
        aside->free = aside->places[place].next;
    else
        place = aside->place_count++;
    uint32_t *bucket = bucket_of(aside, greenlet);
    aside->places[place] = (struct pt_aside_stack){.greenlet = greenlet, .next = *bucket};
    *bucket = place;
    *out = place;
    return PT_OK;
}

static void give_place_back(struct pt_aside *aside, uint32_t place)
{
    uint32_t *link = bucket_of(aside, aside->places[place].greenlet);
    while (*link != place)
        link = &aside->places[*link].next;
    *link = aside->places[place].next;
    aside->places[place].next = aside->free;
    aside->free = place;
}

/* --- Life --------------------------------------------------------------------------------------------------------- */

static enum pt_status begin(struct pt_stack *stack)
{
    struct pt_aside *aside = calloc(1, sizeof *aside);
    if (!aside)
        return PT_NOMEM;
    aside->free = NO_PLACE;
    if (getrandom(&aside->secret, sizeof aside->secret, GRND_NONBLOCK) != sizeof aside->secret)
        aside->secret = (uintptr_t)aside * UINT64_C(0x9E3779B97F4A7C15);
    aside->secret |= 1;
    enum pt_status status = take_place(aside, stack->greenlet, &aside->running);
    if (status != PT_OK) {
        pt_aside_free(aside);
        return status;
    }
    stack->aside = aside;
    return PT_OK;
}

void pt_aside_free(struct pt_aside *aside)
{
    if (!aside)
        return;
    for (uint32_t place = 0; place < aside->place_count; place++)
        free(aside->places[place].frames);
    free(aside->places);
    free(aside->buckets);
    free(aside);
}

/* --- Switching ---------------------------------------------------------------------------------------------------- */

static bool is_empty(const struct pt_stack *stack)
{
    return stack->depth == 0 && stack->unknown == 0;
}

bool pt_aside_has_place(const struct pt_stack *stack)
{
    const struct pt_aside *aside = stack->aside;
    return !aside || is_empty(stack) ||
           (aside->count < PT_ASIDE_MAX && aside->frames + stack->depth <= PT_STACK_DEPTH_MAX);
}

/* A stack that was deep once shall not hold memory for that as long as it lies aside: there may be many. */
static void give_room_back(struct pt_stack *stack)
{
    const size_t enough = 2 * stack->depth + 64;
    if (stack->capacity <= enough)
        return;
    struct pt_stack_frame *frames = realloc(stack->frames, enough * sizeof *frames);
    if (!frames)
        return;
    stack->frames = frames;
    stack->capacity = enough;
}

/* The stack of the greenlet that runs goes to its place, or the place is given back if there is nothing to keep. Then
 * the memory stays with `stack`, for the next one to use. */
static void set_aside(struct pt_stack *stack)
{
    struct pt_aside *aside = stack->aside;
    struct pt_aside_stack *place = &aside->places[aside->running];
    if (!pt_aside_has_place(stack)) {
        stack->missing += stack->depth;
        stack->depth = 0;
        stack->unknown = 0;
    }
    if (is_empty(stack)) {
        give_place_back(aside, aside->running);
        return;
    }
    give_room_back(stack);
    place->frames = stack->frames;
    place->depth = stack->depth;
    place->capacity = stack->capacity;
    place->unknown = stack->unknown;
    place->chunk = aside->chunk;
    aside->count++;
    aside->frames += stack->depth;
    stack->frames = NULL;
    stack->depth = 0;
    stack->capacity = 0;
    stack->unknown = 0;
}

static void go_on(struct pt_stack *stack, uint32_t at)
{
    struct pt_aside *aside = stack->aside;
    struct pt_aside_stack *place = &aside->places[at];
    aside->running = at;
    stack->greenlet = place->greenlet;
    if (!place->frames)
        return;
    free(stack->frames);
    stack->frames = place->frames;
    stack->depth = place->depth;
    stack->capacity = place->capacity;
    stack->unknown = place->unknown;
    place->frames = NULL;
    place->depth = 0;
    place->unknown = 0;
    aside->count--;
    aside->frames -= stack->depth;
}

enum pt_status pt_aside_switch(struct pt_stack *stack, uint64_t greenlet)
{
    if (greenlet == stack->greenlet)
        return PT_OK;
    if (!stack->aside)
        PT_TRY(begin(stack));
    uint32_t place = find_place(stack->aside, greenlet);
    if (place == NO_PLACE)
        PT_TRY(take_place(stack->aside, greenlet, &place));
    set_aside(stack);
    go_on(stack, place);
    return stack->frames ? PT_OK : pt_stack_grow(stack);
}

void pt_aside_forget(struct pt_stack *stack)
{
    const uint64_t greenlet = stack->greenlet;
    pt_stack_clear(stack);
    stack->greenlet = greenlet;
}

/* --- Looking ------------------------------------------------------------------------------------------------------ */

const struct pt_aside_stack *pt_aside_find(const struct pt_stack *stack, uint64_t greenlet)
{
    const struct pt_aside *aside = stack->aside;
    if (!aside || greenlet == stack->greenlet)
        return NULL;
    const uint32_t place = find_place(aside, greenlet);
    return place == NO_PLACE ? NULL : &aside->places[place];
}

const struct pt_aside_stack *pt_aside_next(const struct pt_stack *stack, uint32_t *at)
{
    const struct pt_aside *aside = stack->aside;
    while (aside && *at < aside->place_count) {
        const struct pt_aside_stack *place = &aside->places[(*at)++];
        if (place->frames)
            return place;
    }
    return NULL;
}

void pt_aside_begin_chunk(struct pt_stack *stack)
{
    if (stack->aside)
        stack->aside->chunk++;
}

bool pt_aside_ran(const struct pt_stack *stack, const struct pt_aside_stack *one)
{
    return one && one->chunk == stack->aside->chunk;
}

uint32_t pt_aside_place(const struct pt_stack *stack)
{
    return stack->aside ? stack->aside->running : 0;
}
