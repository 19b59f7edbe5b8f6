/* The table of functions under threads that look up, add and remove at the same time: for ThreadSanitizer (preset tsan),
 * and a stress test without it.
 *
 * Each thread has objects of its own, of which it adds and removes the keys as their functions come and go, and all look
 * up objects that stay. A key's id is a function of the key, so that a mixture of two entries would be noticed. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "function_table.h"
#include "layout.h"

enum { THREADS = 8, SHARED = 3000, OWN = 200, TURNS = 20000, CHURN = 300000 };

#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s is not true\n", __FILE__, __LINE__, #condition);                                \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* As far apart as code objects lie. Only their addresses are used. */
struct object {
    char bytes[176];
};

static struct object shared[SHARED], own[THREADS][OWN];
static struct pt_function_table table = PT_FUNCTION_TABLE_EMPTY;
static unsigned held;

static uint32_t id_of(const struct object *object)
{
    return 1 + (uint32_t)((uintptr_t)object / sizeof *object % PT_ID_MAX);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* As the recorder does: look up, else add, else another thread was faster. */
static void meet(const struct object *object)
{
    uint32_t id = pt_function_table_find(&table, object);
    if (id == PT_ID_UNKNOWN && !pt_function_table_add(&table, object, id_of(object), &held))
        id = pt_function_table_find(&table, object);
    REQUIRE(id == PT_ID_UNKNOWN || id == id_of(object));
    REQUIRE(pt_function_table_find(&table, object) == id_of(object));
}

static void *live(void *argument)
{
    const size_t thread = (size_t)(uintptr_t)argument;
    bool alive[OWN] = {false};
    uint32_t random = (uint32_t)thread;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        meet(&shared[next_random(&random) % SHARED]);
        const uint32_t i = next_random(&random) % OWN;
        const struct object *object = &own[thread][i];
        REQUIRE(pt_function_table_find(&table, object) == (alive[i] ? id_of(object) : PT_ID_UNKNOWN));
        if (alive[i])
            REQUIRE(pt_function_table_remove(&table, object));
        else
            REQUIRE(pt_function_table_add(&table, object, id_of(object), NULL));
        alive[i] = !alive[i];
    }
    for (uint32_t i = 0; i < OWN; i++)
        REQUIRE(pt_function_table_remove(&table, &own[thread][i]) == alive[i]);
    return NULL;
}

static void release(void *object)
{
    REQUIRE(object == &held);
    held++;
}

static void run_threads(void)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, live, (void *)(uintptr_t)i) == 0);
    for (size_t i = 0; i < THREADS; i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    for (size_t i = 0; i < SHARED; i++)
        REQUIRE(pt_function_table_find(&table, &shared[i]) == id_of(&shared[i])); /* 160,000 looks: all were met */
    for (size_t i = 0; i < THREADS * OWN; i++)
        REQUIRE(pt_function_table_find(&table, &own[0][0] + i) == PT_ID_UNKNOWN);
    pt_function_table_clear(&table, release);
    REQUIRE(held == SHARED);
    REQUIRE(pt_function_table_find(&table, &shared[0]) == PT_ID_UNKNOWN);
}

/* Functions that come and go for ever, at changing addresses, take no more room than so many that stay. */
static void churn(void)
{
    static struct object space[CHURN];
    for (size_t i = 0; i < CHURN; i++) {
        REQUIRE(pt_function_table_add(&table, &space[i], id_of(&space[i]), NULL));
        if (i >= OWN)
            REQUIRE(pt_function_table_remove(&table, &space[i - OWN]));
    }
    REQUIRE(pt_function_table_capacity(&table) <= 2048);
    for (size_t i = 0; i < CHURN; i++)
        REQUIRE(pt_function_table_find(&table, &space[i]) == (i < CHURN - OWN ? PT_ID_UNKNOWN : id_of(&space[i])));
    pt_function_table_forget(&table);
    REQUIRE(pt_function_table_find(&table, &space[CHURN - 1]) == PT_ID_UNKNOWN);
    pt_function_table_clear(&table, release);
}

int main(void)
{
    run_threads();
    churn();
    printf("%d threads, %d functions that stay, %d each that come and go: every look-up right\n", THREADS, SHARED, OWN);
    return 0;
}
