/* JSON, written in one go: commas and nesting are kept right here. Output is pure ASCII but for valid UTF-8 texts. */
#ifndef PT_JSON_H
#define PT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "screen.h"

#define PT_JSON_DEPTH_MAX 32

struct pt_json {
    struct pt_screen *screen;
    int depth;
    uint32_t filled; /* bit d: something stands already in the container at depth d */
    uint32_t lines;  /* bit d: each item of the container at depth d begins a line */
    bool named;      /* a key was written, its value is next */
};

void pt_json_init(struct pt_json *json, struct pt_screen *screen);

/* `lines`: each item on a line of its own. */
void pt_json_open(struct pt_json *json, char bracket, bool lines); /* '{' or '[' */
void pt_json_close(struct pt_json *json, char bracket);            /* '}' or ']' */
void pt_json_key(struct pt_json *json, const char *key);

void pt_json_text(struct pt_json *json, const char *text); /* bytes that are no UTF-8 become U+FFFD */
void pt_json_uint(struct pt_json *json, uint64_t value);
void pt_json_int(struct pt_json *json, int64_t value);
void pt_json_real(struct pt_json *json, double value); /* null if it is not finite */
void pt_json_bool(struct pt_json *json, bool value);
void pt_json_null(struct pt_json *json);

/* A key and its value. */
void pt_json_put_text(struct pt_json *json, const char *key, const char *text);
void pt_json_put_uint(struct pt_json *json, const char *key, uint64_t value);
void pt_json_put_int(struct pt_json *json, const char *key, int64_t value);
void pt_json_put_real(struct pt_json *json, const char *key, double value);
void pt_json_put_thousandths(struct pt_json *json, const char *key,
                             uint64_t value); /* value / 1000, with three decimals */
void pt_json_put_bool(struct pt_json *json, const char *key, bool value);
void pt_json_put_null(struct pt_json *json, const char *key);

/* A newline behind a complete document. */
void pt_json_end(struct pt_json *json);

#endif
