#include "ring.h"

#include <string.h>

#include "clock.h"
#include "host_wait.h"
#include "record.h"
#include "session.h"
#include "thread_clock.h"

#define NS_PER_STALL      100000u /* shorter waits are not worth a record */
#define MARK_WORDS        65536u  /* the drain makes a chunk of this many */
#define REBASE_WORDS      2u
#define STALL_WORDS       2u
#define LOST_WORDS        5u
#define SWITCH_WORDS      2u /* more than an event */
#define CHECK_DRAIN_EVERY 4096u

static uint64_t words(const struct pt_thread_state *self)
{
    return self->mask + 1;
}

void pt_ring_init(struct pt_thread_state *self, uint64_t *ring, uint64_t ring_size)
{
    self->ring = ring;
    self->mask = ring_size / sizeof(uint64_t) - 1;
    self->position = 0;
    self->consumed = 0;
    self->epoch = UINT64_MAX; /* of no tick: the first record is preceded by a rebase */
    self->mark = words(self) / 2 < MARK_WORDS ? words(self) / 2 : MARK_WORDS;
    memset(&self->loss, 0, sizeof self->loss);
}

void pt_ring_update_limit(struct pt_thread_state *self)
{
    uint64_t limit = self->consumed + words(self);
    if (self->mark < limit)
        limit = self->mark;
    if (self->name_retry != 0 && self->name_retry < limit)
        limit = self->name_retry;
    /* The fast path knows only the processor's counter. */
    if (!pt_clock_is_counter(self->clock) || self->hidden > 0 || self->in_fork || self->loss.active)
        limit = 0;
    /* Who ends a session stores its state and then lowers all limits: in one total order with this, so that one of us
     * sees the other. */
    atomic_store(&self->limit, limit);
    if (atomic_load(&pt_session->state) != PT_SESSION_RECORDING)
        pt_thread_state_set_limit(self, 0);
}

/* --- Words ------------------------------------------------------------------------------------------------------- */

static void push(struct pt_thread_state *self, uint64_t word)
{
    self->ring[self->position++ & self->mask] = word;
}

static void publish(struct pt_thread_state *self)
{
    atomic_store_explicit(&self->slot->produced, self->position, memory_order_release);
}

/* A control record and its words become visible together, whatever follows them. */
static void push_control(struct pt_thread_state *self, enum pt_control subtype, uint64_t tick,
                         const uint64_t *arguments, uint32_t count)
{
    push(self, pt_record_pack_control(subtype, count, tick));
    for (uint32_t i = 0; i < count; i++)
        push(self, arguments[i]);
    publish(self);
}

static void push_rebase(struct pt_thread_state *self, uint64_t tick)
{
    if (tick >> PT_TICK_BITS == self->epoch)
        return;
    self->epoch = tick >> PT_TICK_BITS;
    push_control(self, PT_CONTROL_REBASE, tick, &tick, 1);
}

static void push_lost(struct pt_thread_state *self, uint64_t tick)
{
    struct pt_loss *loss = &self->loss;
    uint64_t arguments[4 + PT_LOSS_FRAMES_MAX] = {
        loss->count,
        tick > loss->from_tick ? tick - loss->from_tick : 0,
        loss->unwound,
        loss->pushed < PT_LOST_PUSHED_MAX ? loss->pushed : PT_LOST_PUSHED_MAX,
    };
    uint64_t frames = loss->pushed < PT_LOSS_FRAMES_MAX ? loss->pushed : PT_LOSS_FRAMES_MAX;
    memcpy(arguments + 4, loss->frames, frames * sizeof *arguments);
    push_control(self, PT_CONTROL_LOST, tick, arguments, (uint32_t)(4 + frames));
    memset(loss, 0, sizeof *loss);
}

/* --- Room -------------------------------------------------------------------------------------------------------- */

struct room {
    struct pt_thread_state *self;
    uint64_t need; /* words */
};

static bool has_room(void *context)
{
    const struct room *room = context;
    struct pt_thread_state *self = room->self;
    if (self->position + room->need <= self->consumed + words(self))
        return true;
    /* The words before it may be written over: the drain stored it with release after the last of them was safe. */
    self->consumed = atomic_load_explicit(&self->slot->consumed, memory_order_acquire);
    return self->position + room->need <= self->consumed + words(self);
}

/* Room for one event or switch and what may have to precede it. A wait that was long enough to distort times is told in a record.
 */
static bool make_room(struct pt_thread_state *self)
{
    struct room room = {self, REBASE_WORDS + STALL_WORDS + REBASE_WORDS + SWITCH_WORDS};
    if (has_room(&room))
        return true;
    uint64_t waited_ns;
    uint64_t before = pt_thread_clock_tick(self);
    bool ready = pt_host_wait_until(has_room, &room, &waited_ns);
    uint64_t now = pt_thread_clock_tick(self);
    uint64_t stalled = now > before ? now - before : 0;
    if (!ready && waited_ns > 0)
        pt_host_wait_degrade();
    if (waited_ns > 0)
        atomic_fetch_add_explicit(&self->slot->stalled_ticks, stalled, memory_order_relaxed);
    if (ready && waited_ns > NS_PER_STALL) {
        push_rebase(self, now);
        push_control(self, PT_CONTROL_STALL, now, &stalled, 1);
    }
    return ready;
}

/* --- Losses ------------------------------------------------------------------------------------------------------ */

static void begin_loss(struct pt_thread_state *self)
{
    if (self->loss.active)
        return;
    self->loss.active = true;
    self->loss.from_tick = pt_thread_clock_tick(self);
}

static void lose(struct pt_thread_state *self, enum pt_kind kind, uint64_t frame)
{
    struct pt_loss *loss = &self->loss;
    begin_loss(self);
    if (loss->switched || pt_record_is_inner(kind)) {
        /* nothing can be said of any stack, or it stays as it is */
    } else if (kind <= PT_KIND_OPEN) {
        if (loss->pushed < PT_LOSS_FRAMES_MAX)
            loss->frames[loss->pushed] = frame;
        loss->pushed++;
    } else if (loss->pushed > 0) {
        loss->pushed--;
    } else {
        loss->unwound++;
    }
    if (kind == PT_KIND_OPEN)
        return; /* restores the stack, but is no event */
    loss->count++;
    atomic_fetch_add_explicit(&self->slot->lost, 1, memory_order_relaxed);
    if (loss->count % CHECK_DRAIN_EVERY == 0)
        pt_host_wait_check_drain("events are being lost");
}

/* Recording goes on once half of the ring is empty: a ring that is full again after ten events would be mostly LOST
 * records. */
static bool recover(struct pt_thread_state *self)
{
    struct room room = {self, words(self) / 2};
    if (!has_room(&room))
        return false;
    uint64_t tick = pt_thread_clock_tick(self);
    push_rebase(self, tick);
    push_lost(self, tick);
    return true;
}

bool pt_ring_recover(struct pt_thread_state *self)
{
    return recover(self);
}

void pt_ring_flush(struct pt_thread_state *self)
{
    struct room room = {self, REBASE_WORDS + LOST_WORDS + PT_LOSS_FRAMES_MAX};
    if (!self->loss.active || !has_room(&room))
        return;
    uint64_t tick = pt_thread_clock_tick_of(self, self->loss.from_tick);
    push_rebase(self, tick);
    push_lost(self, tick);
}

/* --- Events ------------------------------------------------------------------------------------------------------ */

void pt_ring_put(struct pt_thread_state *self, enum pt_kind kind, uint32_t id, uint64_t frame)
{
    if ((self->loss.active && (self->loss.switched || !recover(self))) || !make_room(self)) {
        lose(self, kind, frame);
        return;
    }
    uint64_t tick = pt_thread_clock_tick(self);
    push_rebase(self, tick);
    push(self, pt_record_pack(kind, id, tick));
    publish(self);
    if (self->position >= self->mark) {
        uint64_t step = words(self) / 2 < MARK_WORDS ? words(self) / 2 : MARK_WORDS;
        self->mark = self->position - self->position % step + step;
        pt_host_wait_wake();
    }
}

/* --- Greenlets --------------------------------------------------------------------------------------------------- */

void pt_ring_switch(struct pt_thread_state *self, uint64_t number)
{
    self->greenlet = number;
    if ((self->loss.active && (self->loss.switched || !recover(self))) || !make_room(self)) {
        begin_loss(self);
        self->loss.switched = true;
        self->loss.unwound = 0;
        self->loss.pushed = 0;
        return;
    }
    uint64_t tick = pt_thread_clock_tick(self);
    push_rebase(self, tick);
    push_control(self, PT_CONTROL_SWITCH, tick, &number, 1);
}

void pt_ring_forget(struct pt_thread_state *self, uint64_t number)
{
    if (!make_room(self)) {
        begin_loss(self);
        self->loss.switched = true;
        return;
    }
    uint64_t tick = pt_thread_clock_tick(self);
    push_rebase(self, tick);
    push_control(self, PT_CONTROL_FORGET, tick, NULL, 0);
    pt_ring_switch(self, number);
}

int pt_ring_last_is(const struct pt_thread_state *self, enum pt_kind kind, uint32_t id)
{
    if (self->position == 0 || self->loss.active)
        return 0;
    uint64_t record = self->ring[(self->position - 1) & self->mask];
    return pt_record_kind(record) == (uint32_t)kind && pt_record_id(record) == id;
}
