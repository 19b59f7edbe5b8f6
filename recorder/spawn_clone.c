#include "spawn_clone.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "raw_syscall.h"

/* host ──clone, exit signal 0──► intermediate ──clone──► drain (exec)
 *
 * The intermediate ends as soon as the drain has been exec'ed, and the host reaps it here: exit signal 0 raises no SIGCHLD and is invisible to
 * any wait() without __WCLONE. The drain, an orphan, goes to init. Both clones share the host's memory, as vfork does, so that
 * a host with gigabytes copies no page tables; each has a stack of its own, since a child that
 * returns into the caller's frames would destroy them. The callers are suspended until the exec, so that errno, which the children share
 * with the calling thread, has one user at a time.
 *
 * A host that is init, or a subreaper, would get the orphan as a child that wait() shows. There the intermediate stays as the drain's parent: the
 * keeper. It must not share the host's memory then, which it would keep alive, and copies it only to unmap all of it. */

#define STACK_BYTES ((size_t)64 << 10)

#define RSEQ_UNREGISTER 1 /* RSEQ_FLAG_UNREGISTER of linux/rseq.h */
#if defined(__x86_64__)
#define RSEQ_SIGNATURE 0x53053053
#else
#define RSEQ_SIGNATURE 0xd428bc00
#endif

/* Of sys/rseq.h, which glibc has since 2.35. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

struct clone_frame {
    const struct pt_spawn_clone *request;
    uint8_t *inner_stack_top;
    int exec_errno; /* written by the inner child, read by the intermediate once the former has exec'ed or ended */
};

/* The keeper's last code: unmaps [0, low) and [high, top), that is everything but the pages it stands in, then waits for
 * the drain and exits. It uses no memory at all, not even a stack. */
_Noreturn void pt_spawn_keeper(uintptr_t low, uintptr_t high, uintptr_t top, long drain);
extern const char pt_spawn_keeper_end[];

#if defined(__x86_64__)
__asm__(".pushsection .text\n"
        ".globl pt_spawn_keeper\n.hidden pt_spawn_keeper\n.type pt_spawn_keeper, @function\n"
        ".globl pt_spawn_keeper_end\n.hidden pt_spawn_keeper_end\n"
        "pt_spawn_keeper:\n"
        "    endbr64\n"
        "    mov %rsi, %r12\n" /* high */
        "    mov %rdx, %r13\n" /* top */
        "    mov %rcx, %r14\n" /* drain */
        "    mov %rdi, %rsi\n"
        "    xor %edi, %edi\n"
        "    mov $11, %eax\n" /* munmap(0, low) */
        "    syscall\n"
        "    mov %r12, %rdi\n"
        "    mov %r13, %rsi\n"
        "    sub %r12, %rsi\n"
        "    mov $11, %eax\n" /* munmap(high, top − high) */
        "    syscall\n"
        "1:  mov %r14, %rdi\n"
        "    xor %esi, %esi\n"
        "    mov $0x40000000, %edx\n" /* __WALL */
        "    xor %r10d, %r10d\n"
        "    mov $61, %eax\n" /* wait4(drain, NULL, __WALL, NULL) */
        "    syscall\n"
        "    cmp $-4, %rax\n" /* EINTR */
        "    je 1b\n"
        "    xor %edi, %edi\n"
        "    mov $231, %eax\n" /* exit_group(0) */
        "    syscall\n"
        "    hlt\n"
        "pt_spawn_keeper_end:\n"
        ".size pt_spawn_keeper, . - pt_spawn_keeper\n"
        ".popsection\n");
#elif defined(__aarch64__)
__asm__(".pushsection .text\n"
        ".globl pt_spawn_keeper\n.hidden pt_spawn_keeper\n.type pt_spawn_keeper, %function\n"
        ".globl pt_spawn_keeper_end\n.hidden pt_spawn_keeper_end\n"
        ".balign 4\n"
        "pt_spawn_keeper:\n"
        "    hint #34\n"    /* bti c */
        "    mov x20, x1\n" /* high */
        "    mov x21, x2\n" /* top */
        "    mov x22, x3\n" /* drain */
        "    mov x1, x0\n"
        "    mov x0, #0\n"
        "    mov x8, #215\n" /* munmap(0, low) */
        "    svc #0\n"
        "    mov x0, x20\n"
        "    sub x1, x21, x20\n"
        "    mov x8, #215\n" /* munmap(high, top − high) */
        "    svc #0\n"
        "1:  mov x0, x22\n"
        "    mov x1, #0\n"
        "    mov x2, #0x40000000\n" /* __WALL */
        "    mov x3, #0\n"
        "    mov x8, #260\n" /* wait4(drain, NULL, __WALL, NULL) */
        "    svc #0\n"
        "    cmn x0, #4\n" /* EINTR */
        "    b.eq 1b\n"
        "    mov x0, #0\n"
        "    mov x8, #94\n" /* exit_group(0) */
        "    svc #0\n"
        "    brk #0\n"
        "pt_spawn_keeper_end:\n"
        ".size pt_spawn_keeper, . - pt_spawn_keeper\n"
        ".popsection\n");
#endif

/* The end of the address space, or one page below: where the kernel takes a munmap, and not one bit further. */
static uintptr_t address_space_top(uintptr_t page)
{
    for (unsigned bits = 56; bits > 36; bits--) {
        uintptr_t top = ((uintptr_t)1 << bits) - page;
        if (pt_raw_syscall(SYS_munmap, (long)(top - page), (long)page, 0, 0) == 0)
            return top;
    }
    return 0;
}

static uintptr_t thread_pointer(void)
{
    uintptr_t pointer; /* clang 14 has no __builtin_thread_pointer for x86-64 */
#if defined(__x86_64__)
    __asm__("mov %%fs:0, %0" : "=r"(pointer));
#else
    __asm__("mrs %0, tpidr_el0" : "=r"(pointer));
#endif
    return pointer;
}

/* A restartable-sequence area that glibc registered survives a fork, and the kernel writes to it whenever it has preempted the thread: it must
 * go before its memory does. The length that was registered is glibc's secret. False if it stays. */
static bool leave_rseq(void)
{
    if (!&__rseq_offset || !&__rseq_size || __rseq_size == 0)
        return true; /* a C library without it, or told not to use it */
    long area = (long)thread_pointer() + (long)__rseq_offset;
    for (long length = 32; length <= 512; length += 32)
        if (pt_raw_syscall(SYS_rseq, area, length, RSEQ_UNREGISTER, RSEQ_SIGNATURE) == 0)
            return true;
    return false;
}

_Noreturn static void keep(long drain, uintptr_t page)
{
    static const char name[] = "pytrace-keeper";
    pt_raw_syscall(SYS_prctl, PR_SET_NAME, (long)name, 0, 0);
    pt_raw_syscall(SYS_setsid, 0, 0, 0, 0);
    pt_raw_syscall(SYS_chdir, (long)"/", 0, 0, 0);
    if (pt_raw_syscall(SYS_close_range, 0, UINT32_MAX, 0, 0) < 0)
        for (long descriptor = 0; descriptor < 65536; descriptor++) /* a kernel before 5.9 */
            pt_raw_syscall(SYS_close, descriptor, 0, 0, 0);
    uintptr_t low = (uintptr_t)&pt_spawn_keeper & ~(page - 1);
    uintptr_t high = ((uintptr_t)pt_spawn_keeper_end + page - 1) & ~(page - 1);
    if (leave_rseq())
        pt_spawn_keeper(low, high, address_space_top(page), drain);
    else
        pt_spawn_keeper(0, high, high, drain); /* better a copy of the host's memory than a dead keeper */
}

/* The host's soft limits are the host's; the drain needs descriptors and memory of its own even where the host has none left. */
static void raise_limits(void)
{
    static const int limits[] = {RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_NPROC};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct rlimit64 limit = {0};
        if (pt_raw_syscall(SYS_prlimit64, 0, limits[i], 0, (long)&limit) < 0)
            continue;
        limit.rlim_cur = limit.rlim_max;
        pt_raw_syscall(SYS_prlimit64, 0, limits[i], (long)&limit, 0);
    }
}

/* The inner child. Only what the exec itself needs: the drain does the rest when it is a process of its own (drain_settle.c). Signals stay
 * blocked across the exec, so that nothing can end it before it has chosen what to ignore. */
static int exec_drain(void *argument)
{
    struct clone_frame *frame = argument;
    const struct pt_spawn_clone *request = frame->request;
    static const char *const no_environment[] = {NULL};
    long result;

    raise_limits();
    pt_raw_syscall(SYS_setsid, 0, 0, 0, 0);
    if (request->host_socket != PT_SPAWN_SOCKET)
        pt_raw_syscall(SYS_close, request->host_socket, 0, 0, 0);
    if (request->socket == PT_SPAWN_SOCKET)
        result = pt_raw_syscall(SYS_fcntl, PT_SPAWN_SOCKET, F_SETFD, 0, 0);
    else
        result = pt_raw_syscall(SYS_dup3, request->socket, PT_SPAWN_SOCKET, 0, 0);
    if (result >= 0)
        result = pt_raw_syscall(SYS_execve, (long)request->program, (long)request->argv, (long)no_environment, 0);
    frame->exec_errno = (int)-result;
    return 1;
}

static int intermediate(void *argument)
{
    struct clone_frame *frame = argument;
    uintptr_t page = (uintptr_t)getpagesize();
    long drain = clone(exec_drain, frame->inner_stack_top, CLONE_VM | CLONE_VFORK, frame);

    if (drain < 0)
        return errno;
    if (frame->exec_errno != 0) {
        pt_raw_syscall(SYS_wait4, drain, 0, __WALL, 0);
        return frame->exec_errno;
    }
    if (frame->request->keep)
        keep(drain, page);
    return 0;
}

int pt_spawn_clone(const struct pt_spawn_clone *request, pid_t *keeper)
{
    int result = 0;
    uint8_t *stacks =
        mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stacks == MAP_FAILED)
        return errno;

    struct clone_frame frame = {.request = request, .inner_stack_top = stacks + 2 * STACK_BYTES};
    int flags = request->keep ? 0 : CLONE_VM | CLONE_VFORK; /* the low byte, the exit signal, is 0 */
    pid_t child = clone(intermediate, stacks + STACK_BYTES, flags, &frame);
    *keeper = 0;
    if (child < 0)
        result = errno;
    else if (request->keep)
        *keeper = child;
    else
        result = pt_spawn_clone_reap(child, -1);
    munmap(stacks, 2 * STACK_BYTES);
    return result;
}

int pt_spawn_clone_reap(pid_t keeper, int wait_ms)
{
    for (;;) {
        int status;
        pid_t reaped = waitpid(keeper, &status, wait_ms < 0 ? __WALL : __WALL | WNOHANG);
        if (reaped == keeper)
            return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
        if (reaped < 0 && errno != EINTR)
            return 0; /* a wait() with __WALL in another thread was faster */
        if (reaped == 0 && wait_ms-- <= 0)
            return -1;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}
