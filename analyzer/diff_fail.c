#include "diff_fail.h"

#include <stdlib.h>
#include <string.h>

#include "units.h"

static enum pt_status parse_limit(struct pt_diff_condition *condition, const char *text)
{
    char *end;
    double percent = strtod(text, &end);
    if (end != text && strcmp(end, "%") == 0 && percent >= 0) {
        condition->relative = true;
        condition->limit = percent / 100;
        return PT_OK;
    }
    return pt_units_parse_time(text, &condition->limit);
}

static enum pt_status parse_condition(struct pt_diff_condition *condition, const char *text, size_t size)
{
    static const char *const kinds[] = {"slower", "total", "calls"};
    size_t name = 0;
    size_t kind = 0;
    if (size >= sizeof condition->text)
        return PT_MISUSE;
    memcpy(condition->text, text, size);
    condition->text[size] = '\0';
    name = strcspn(condition->text, ">");
    while (kind < 3 && !(strlen(kinds[kind]) == name && strncmp(kinds[kind], condition->text, name) == 0))
        kind++;
    if (kind == 3)
        return PT_MISUSE;
    condition->kind = (enum pt_diff_fail_kind)kind;
    if (condition->text[name] == '\0')
        return PT_OK;
    return condition->kind == PT_DIFF_FAIL_CALLS ? PT_MISUSE : parse_limit(condition, condition->text + name + 1);
}

enum pt_status pt_diff_conditions_parse(struct pt_diff_conditions *conditions, const char *text, struct pt_error *error)
{
    *conditions = (struct pt_diff_conditions){0};
    while (text) {
        size_t size = strcspn(text, ",");
        if (conditions->count == PT_DIFF_FAIL_MAX ||
            parse_condition(&conditions->list[conditions->count++], text, size) != PT_OK)
            return pt_error_set(error, PT_MISUSE, PT_ERROR_NO_OFFSET,
                                "--fail-on '%.40s': slower>5%%, slower>10ms, total>5%%, calls are known", text);
        text = text[size] ? text + size + 1 : NULL;
    }
    return PT_OK;
}

static bool slower(const struct pt_diff_condition *condition, const struct pt_diff_row *row, int64_t time_ns)
{
    if (row->verdict != PT_DIFF_SLOWER)
        return false;
    return condition->relative ? row->speed > condition->limit : (double)time_ns > condition->limit;
}

bool pt_diff_condition_holds(const struct pt_diff_condition *condition, const struct pt_diff_rows *rows)
{
    if (condition->kind == PT_DIFF_FAIL_TOTAL)
        return slower(condition, &rows->total, rows->total.delta_ns);
    for (size_t i = 0; i < rows->count; i++) {
        const struct pt_diff_row *row = &rows->rows[i];
        if (condition->kind == PT_DIFF_FAIL_SLOWER && slower(condition, row, row->speed_ns))
            return true;
        if (condition->kind == PT_DIFF_FAIL_CALLS && row->change >= PT_DIFF_MORE && row->change <= PT_DIFF_REMOVED)
            return true;
    }
    return false;
}
