/* System calls without the C library: no errno, no cancellation point, no lazy binding. For code that runs in a child which
 * shares the memory of a process that must not notice. Results are those of the kernel: −errno on failure. */
#ifndef PT_RAW_SYSCALL_H
#define PT_RAW_SYSCALL_H

#include <sys/syscall.h>

#if defined(__x86_64__)

static inline long pt_raw_syscall(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

static inline long pt_raw_syscall(long number, long a, long b, long c, long d)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}

#else
#error "no system call convention for this architecture"
#endif

#endif
