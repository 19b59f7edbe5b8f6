/* Steps of a thread as a line of text, for tests:
 *
 *     a … z  call of function 0 … 25        )  leave            <  pause
 *     A … Z  the same, but open             !  leave, raising   >  skip
 *     .      one tick passes                ]  close
 *     0 … 9  switch to this place
 *     :3     line 3                         %3  instruction 3       *c  exception at raise site 2 */
#ifndef STEP_SCRIPT_H
#define STEP_SCRIPT_H

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

#define STEP_SCRIPT_FUNCTIONS 26

/* Returns steps to be freed. */
static inline struct pt_step *step_script(const char *script, size_t *count)
{
    struct pt_step *steps = calloc(strlen(script) + 1, sizeof *steps);
    uint64_t clock = 1000;

    cr_assert_not_null(steps);
    *count = 0;
    for (; *script; script++) {
        struct pt_step step = {.clock = clock};
        switch (*script) {
        case '.':
            clock++;
            continue;
        case ')':
            step.kind = PT_STEP_LEAVE;
            break;
        case '!':
            step.kind = PT_STEP_RAISE;
            break;
        case ']':
            step.kind = PT_STEP_CLOSE;
            break;
        case '<':
            step.kind = PT_STEP_PAUSE;
            break;
        case '>':
            step.kind = PT_STEP_SKIP;
            break;
        case ':':
            step.kind = PT_STEP_LINE;
            step.function = (uint32_t)(*++script - '0');
            break;
        case '%':
            step.kind = PT_STEP_OPCODE;
            step.function = (uint32_t)(*++script - '0');
            break;
        case '*':
            step.kind = PT_STEP_EXCEPTION;
            step.function = (uint32_t)(*++script - 'a');
            break;
        default:
            if (isdigit((unsigned char)*script)) {
                step.kind = PT_STEP_SWITCH;
                step.function = (uint32_t)(*script - '0');
                break;
            }
            step.kind = islower((unsigned char)*script) ? PT_STEP_CALL : PT_STEP_OPEN;
            step.function = (uint32_t)(tolower((unsigned char)*script) - 'a');
        }
        steps[(*count)++] = step;
    }
    return steps;
}

/* A nested script with stalls, by a seed: at most `functions` different ones, some deep recursion. `out` has room for `size`. */
static inline void step_script_random(char *out, size_t size, unsigned seed, int functions)
{
    char *end = out + size - 1;
    size_t depth = 0;

    while (out < end - depth - 4) {
        seed = seed * 1103515245u + 12345u;
        unsigned choice = seed >> 16 & 15;
        if (choice < 5) {
            char letter = (char)('a' + (int)(seed >> 20) % functions);
            *out++ = choice == 0 ? (char)toupper((unsigned char)letter) : letter;
            depth++;
        } else if (choice < 9 && depth > 0) {
            *out++ = choice == 5 ? '!' : ')';
            depth--;
        } else if (choice == 9 && depth > 0) {
            *out++ = '<';
            *out++ = '.';
            *out++ = '>';
        } else {
            *out++ = '.';
        }
    }
    while (depth-- > 0)
        *out++ = ']';
    *out = '\0';
}

#endif
