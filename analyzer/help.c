#include "help.h"

#include <stdio.h>
#include <string.h>

#include "command.h"
#include "export.h"
#include "options.h"

/* Where the explanations begin; a longer head pushes its own to the next line. */
#define COLUMN 24
/* Where lines end that no screen ends. */
#define WIDTH 100

static void print_title(struct pt_screen *screen, const char *title)
{
    pt_screen_style(screen, PT_SCREEN_HEAD);
    pt_screen_put(screen, title);
    pt_screen_style(screen, PT_SCREEN_PLAIN);
    pt_screen_put(screen, "\n");
}

/* Puts words, with line breaks where the screen ends. */
static void print_wrapped(struct pt_screen *screen, const char *text, size_t indent)
{
    size_t width = pt_screen_width(screen) ? pt_screen_width(screen) : WIDTH;
    size_t column = indent;

    while (*text) {
        size_t word = strcspn(text, " ");
        if (column > indent && column + 1 + word > width) {
            pt_screen_printf(screen, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            pt_screen_put(screen, " ");
            column++;
        }
        pt_screen_write(screen, text, word);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    pt_screen_put(screen, "\n");
}

static void print_row(struct pt_screen *screen, const char *head, const char *text)
{
    int room = COLUMN - 4;
    if (strlen(head) > (size_t)room)
        pt_screen_printf(screen, "  %s\n%*s", head, COLUMN, "");
    else
        pt_screen_printf(screen, "  %-*s  ", room, head);
    print_wrapped(screen, text, COLUMN);
}

static void print_options(struct pt_screen *screen)
{
    print_title(screen, "Options");
    for (size_t i = 0; i < pt_option_count; i++) {
        const struct pt_option *option = &pt_option_table[i];
        char letter[8] = "    ";
        char head[64];
        if (option->letter)
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        snprintf(head, sizeof head, "%s--%s%s%s", letter, option->name, option->argument ? " " : "",
                 option->argument ? option->argument : "");
        print_row(screen, head, option->text);
    }
}

static void print_general(struct pt_screen *screen)
{
    pt_screen_put(screen, "pytrace-analyze answers questions about what pytrace recorded.\n\n");
    print_title(screen, "Usage");
    pt_screen_put(screen, "  pytrace-analyze TRACE... [options]\n"
                          "  pytrace-analyze COMMAND [RE] TRACE... [options]\n\n");
    print_title(screen, "Commands");
    for (size_t i = 0; i < pt_command_count; i++) {
        const struct pt_command *command = &pt_command_table[i];
        char head[64];
        snprintf(head, sizeof head, "%s%s%s", command->name, command->operand ? " " : "",
                 command->operand ? command->operand : "");
        print_row(screen, head, command->text);
    }
    pt_screen_printf(screen, "\nWithout a command: %s. `pytrace-analyze COMMAND --help` shows an example.\n\n",
                     pt_command_table[0].name);
    print_options(screen);
}

static void print_formats(struct pt_screen *screen)
{
    print_title(screen, "Formats");
    for (size_t i = 0; i < pt_export_count; i++)
        print_row(screen, pt_export_table[i].name, pt_export_table[i].text);
    pt_screen_put(screen, "\n");
}

static void print_command(struct pt_screen *screen, const struct pt_command *command)
{
    pt_screen_printf(screen, "%s: %s\n\n", command->name, command->text);
    print_title(screen, "Usage");
    pt_screen_printf(screen, "  pytrace-analyze %s%s%s %s [options]\n\n", command->name, command->operand ? " " : "",
                     command->operand ? command->operand : "", pt_command_compares(command) ? "BASE NEW" : "TRACE...");
    print_title(screen, "Example");
    pt_screen_printf(screen, "  %s\n\n", command->example);
    if (pt_command_exports(command))
        print_formats(screen);
    print_options(screen);
}

bool pt_help_print(struct pt_screen *screen, const char *name)
{
    const struct pt_command *command = name ? pt_command_find(name) : NULL;
    if (name && !command)
        return false;
    if (command)
        print_command(screen, command);
    else
        print_general(screen);
    return true;
}
