#include "process_tree.h"

#include <stdlib.h>
#include <string.h>

#include "layout.h"

/* Links between processes, by their position in the trace. */
#define NOBODY SIZE_MAX

struct link {
    size_t parent;
    size_t first_child;
    size_t last_child;
    size_t next; /* sibling */
    bool chosen;
    uint32_t depth;
    uint64_t threads;
    uint64_t events;
    uint64_t lost;
};

static void add_threads(struct link *links, const struct pt_trace *trace)
{
    for (size_t t = 0; t < trace->thread_count; t++) {
        const struct pt_trace_thread *thread = &trace->threads[t];
        uint64_t serial = thread->meta.process;
        if (thread->meta.serial == 0 || serial == 0 || serial > trace->process_count)
            continue;
        struct link *link = &links[serial - 1];
        link->threads++;
        for (size_t c = 0; c < thread->chunk_count; c++) {
            link->events += thread->chunks[c].info.events;
            link->lost += thread->chunks[c].info.lost;
        }
    }
}

/* Returns the first root. */
static size_t tie(struct link *links, const struct pt_input_trace *origin, const struct pt_serials *pids)
{
    const struct pt_trace *trace = origin->trace;
    size_t first = NOBODY, last = NOBODY;
    for (size_t i = 0; i < trace->process_count; i++) {
        const struct pt_process *process = &trace->processes[i];
        struct link *link = &links[i];
        size_t parent = (size_t)process->parent - 1; /* 0 becomes NOBODY */
        link->first_child = link->last_child = link->next = NOBODY;
        link->chosen = process->serial != 0 && pt_serials_contain(pids, origin->process_offset + process->serial);
        link->parent = parent < i && links[parent].chosen ? parent : NOBODY;
        if (!link->chosen)
            continue;
        link->depth = link->parent == NOBODY ? 0 : links[link->parent].depth + 1;
        size_t *head = link->parent == NOBODY ? &first : &links[link->parent].first_child;
        size_t *tail = link->parent == NOBODY ? &last : &links[link->parent].last_child;
        if (*tail == NOBODY)
            *head = i;
        else
            links[*tail].next = i;
        *tail = i;
    }
    return first;
}

static void put_row(struct pt_process_tree *tree, const struct pt_input_trace *origin, const struct link *link,
                    size_t at)
{
    const struct pt_process *process = &origin->trace->processes[at];
    tree->rows[tree->count++] = (struct pt_process_row){
        .process = process,
        .pid = origin->process_offset + process->serial,
        .parent = process->parent > 0 && process->parent <= at ? origin->process_offset + process->parent : 0,
        .depth = link->depth,
        .last = link->next == NOBODY,
        .program = pt_process_program(origin->trace, process->serial),
        .threads = link->threads,
        .events = link->events,
        .lost = link->lost,
    };
    if (link->depth > tree->deepest)
        tree->deepest = link->depth;
}

/* Down if there is a child, else to the next sibling of ours, or of the nearest ancestor that has one. */
static size_t next_of(const struct link *links, size_t at)
{
    if (links[at].first_child != NOBODY)
        return links[at].first_child;
    while (links[at].next == NOBODY && links[at].parent != NOBODY)
        at = links[at].parent;
    return links[at].next;
}

enum pt_status pt_process_tree_make(struct pt_process_tree *tree, const struct pt_input_trace *origin,
                                    const struct pt_serials *pids)
{
    const size_t count = origin->trace->process_count;
    *tree = (struct pt_process_tree){0};
    struct link *links = calloc(count + 1, sizeof *links);
    tree->rows = calloc(count + 1, sizeof *tree->rows);
    if (!links || !tree->rows) {
        free(links);
        return PT_NOMEM;
    }
    add_threads(links, origin->trace);
    for (size_t at = tie(links, origin, pids); at != NOBODY; at = next_of(links, at))
        put_row(tree, origin, &links[at], at);
    free(links);
    return PT_OK;
}

void pt_process_tree_release(struct pt_process_tree *tree)
{
    free(tree->rows);
    *tree = (struct pt_process_tree){0};
}

const char *pt_process_program(const struct pt_trace *trace, uint64_t serial)
{
    for (size_t steps = 0; steps < PT_NAMES_CHAIN_MAX && serial > 0 && serial <= trace->process_count; steps++) {
        const struct pt_process *process = &trace->processes[serial - 1];
        if (process->serial == 0 || strcmp(process->origin, "exec") == 0)
            return process->serial == 0 ? "" : process->program;
        if (serial == 1)
            return trace->has_header ? trace->header.program : "";
        if (process->parent >= serial)
            break;
        serial = process->parent;
    }
    return "";
}
