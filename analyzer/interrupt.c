#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

/* Signals belong to the process, so this is the one flag that cannot live in a struct. */
static volatile sig_atomic_t pt_interrupt_signal;

static void note(int number)
{
    pt_interrupt_signal = number;
}

void pt_interrupt_catch(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    /* SA_RESETHAND: whoever presses Ctrl-C twice means it. No SA_RESTART: a write that nobody takes is to end. */
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction before;
        /* nohup and shells' background jobs ignore some of them: so they stay. */
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

bool pt_interrupt_requested(void)
{
    return pt_interrupt_signal != 0;
}

int pt_interrupt_exit_status(void)
{
    return pt_interrupt_signal ? 128 + pt_interrupt_signal : 0;
}
