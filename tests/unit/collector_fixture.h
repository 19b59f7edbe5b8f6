/* A collector between an arena and a log of the blocks that it writes. There is one in a test: each test runs in a process
 * of its own. */
#ifndef COLLECTOR_FIXTURE_H
#define COLLECTOR_FIXTURE_H

#include "arena_fixture.h"

extern struct arena_fixture fixture;
extern struct block_log blocks;
extern struct pt_collector *collector;

/* Set up and tear down of a suite. */
void collector_fixture_open(void);
void collector_fixture_close(void);

/* A whole turn, which must succeed. */
void turn(uint64_t now_tick);

/* What the blocks tell so far. */
void expect_entries(uint64_t thread, const char *expected);
void expect_process(uint64_t serial, uint64_t parent, uint64_t end_tick, const char *ended);
void expect_thread(uint64_t serial, uint64_t process, const char *name, uint64_t end_tick);
struct pt_collector_totals totals(void);

struct pt_arena_slot *slot_at(uint32_t index);
struct pt_arena_process *process_at(uint32_t index);

/* A process in entry 0 with a thread in slot 0, in this very thread. */
void one_thread(struct arena_fixture *at);
/* A second thread of that process, in slot 1: it calls, returns and ends. */
void another_thread(void);

#endif
