#include "chosen.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"

static struct pattern {
    unsigned bit;
    bool given;
    regex_t compiled;
} patterns[] = {{.bit = PT_CHOSEN_LINES}, {.bit = PT_CHOSEN_OPCODES}};

#define PATTERNS (sizeof patterns / sizeof *patterns)

static bool exceptions;

static int compile(regex_t *compiled, const char *option, const char *pattern)
{
    int failure = regcomp(compiled, pattern, REG_EXTENDED | REG_NOSUB);
    if (failure == 0)
        return 0;
    if (failure == REG_ESPACE) {
        PyErr_NoMemory();
        return -1;
    }
    char reason[80];
    regerror(failure, compiled, reason, sizeof reason);
    PyErr_Format(PyExc_ValueError, "%s: '%.60s' is no regular expression: %s", option, pattern, reason);
    return -1;
}

int pt_chosen_check(const char *option, const char *pattern)
{
    regex_t compiled;
    if (!*pattern || strlen(pattern) >= PT_ARENA_PATTERN_SIZE) {
        PyErr_Format(PyExc_ValueError,
                     *pattern ? "%s is too long: at most %u bytes" : "%s is empty: . chooses all functions", option,
                     PT_ARENA_PATTERN_SIZE - 1);
        return -1;
    }
    if (compile(&compiled, option, pattern) < 0)
        return -1;
    regfree(&compiled);
    return 0;
}

static void forget(void)
{
    for (size_t i = 0; i < PATTERNS; i++) {
        if (patterns[i].given)
            regfree(&patterns[i].compiled);
        patterns[i].given = false;
    }
    exceptions = false;
}

int pt_chosen_set(const char *lines, const char *opcodes, bool also_exceptions)
{
    const char *options[PATTERNS] = {"lines", "opcodes"};
    const char *texts[PATTERNS] = {lines, opcodes};
    forget();
    for (size_t i = 0; i < PATTERNS; i++) {
        if (!texts[i] || !*texts[i])
            continue;
        if (compile(&patterns[i].compiled, options[i], texts[i]) < 0) {
            forget();
            return -1;
        }
        patterns[i].given = true;
    }
    exceptions = also_exceptions;
    return 0;
}

static char *put(char *at, struct pt_text text)
{
    memcpy(at, text.data, text.size);
    return at + text.size;
}

unsigned pt_chosen_of(const struct pt_name *name)
{
    unsigned chosen = 0;
    if (!patterns[0].given && !patterns[1].given)
        return 0;
    /* "module:qualname", of which the qualified name is the end, and the file behind it. */
    char *text = malloc((size_t)name->module.size + name->qualname.size + name->file.size + 3);
    if (!text)
        return 0;
    char *qualname = put(text, name->module);
    *qualname++ = ':';
    char *file = put(qualname, name->qualname);
    *file++ = '\0';
    *put(file, name->file) = '\0';
    const char *const places[] = {text, qualname, file};
    for (size_t i = 0; i < PATTERNS; i++)
        for (size_t place = 0; place < 3 && patterns[i].given; place++)
            if (regexec(&patterns[i].compiled, places[place], 0, NULL, 0) == 0)
                chosen |= patterns[i].bit;
    free(text);
    return chosen;
}

bool pt_chosen_exceptions(void)
{
    return exceptions;
}

bool pt_chosen_any(void)
{
    return exceptions || patterns[0].given || patterns[1].given;
}
