/* The numbers of SPEC.md, section by section. Nothing but layout: no code, no structs. */
#ifndef PT_LAYOUT_H
#define PT_LAYOUT_H

#include <stdint.h>

/* --- 2.1 Block header --------------------------------------------------------------------------------------- */

#define PT_BLOCK_MAGIC       "\xB7PTRC\r\n\x1A"
#define PT_BLOCK_MAGIC_BYTES 8
#define PT_BLOCK_HEADER_SIZE 32
#define PT_BLOCK_PAYLOAD_MAX (64u << 20)

enum {
    PT_BLOCK_OFF_TYPE = 8,
    PT_BLOCK_OFF_FLAGS = 10,
    PT_BLOCK_OFF_LENGTH = 12,
    PT_BLOCK_OFF_SEQUENCE = 16,
    PT_BLOCK_OFF_PAYLOAD_CRC = 24,
    PT_BLOCK_OFF_HEADER_CRC = 28,
};

#define PT_BLOCK_FLAG_OPTIONAL 1u

/* --- 2.2 Block types ---------------------------------------------------------------------------------------- */

enum pt_block_type {
    PT_BLOCK_HEADER = 1,
    PT_BLOCK_PROCESS = 2,
    PT_BLOCK_THREAD = 3,
    PT_BLOCK_NAMES = 4,
    PT_BLOCK_CLOCK = 5,
    PT_BLOCK_CHUNK = 6,
    PT_BLOCK_INDEX = 7,
    PT_BLOCK_END = 8,
};

/* --- 3 HEADER ------------------------------------------------------------------------------------------------ */

#define PT_FORMAT_MAJOR        1
#define PT_FORMAT_MINOR        0
#define PT_FORMAT_INCOMPATIBLE 0u /* the incompatible features that this build knows */

enum {
    PT_HEADER_OFF_MAJOR = 0,
    PT_HEADER_OFF_MINOR = 2,
    PT_HEADER_OFF_RESERVED = 4,
    PT_HEADER_OFF_INCOMPATIBLE = 8,
    PT_HEADER_OFF_COMPATIBLE = 16,
    PT_HEADER_FIXED_SIZE = 24,
};

/* --- 4.3 NAMES ----------------------------------------------------------------------------------------------- */

#define PT_NAMES_CHAIN_MAX 256 /* steps from a process to the one that defined an inherited id */

/* --- 5 CHUNK ------------------------------------------------------------------------------------------------- */

enum {
    PT_CHUNK_OFF_THREAD = 0,
    PT_CHUNK_OFF_SLOT = 4,
    PT_CHUNK_OFF_GENERATION = 8,
    PT_CHUNK_OFF_FLAGS = 12,
    PT_CHUNK_OFF_FIRST_POSITION = 16,
    PT_CHUNK_OFF_WORDS = 24,
    PT_CHUNK_OFF_ENTRIES = 28,
    PT_CHUNK_OFF_FIRST_TICK = 32,
    PT_CHUNK_OFF_LAST_TICK = 40,
    PT_CHUNK_OFF_EVENTS = 48,
    PT_CHUNK_OFF_DEPTH = 52,
    PT_CHUNK_OFF_KEYFRAME_BYTES = 56,
    PT_CHUNK_OFF_SYMBOLS = 60,
    PT_CHUNK_OFF_WIDE_BYTES = 64,
    PT_CHUNK_OFF_ARGUMENT_BYTES = 68,
    PT_CHUNK_OFF_LOST = 72,
    PT_CHUNK_OFF_CODE_WIDTH = 80,
    PT_CHUNK_OFF_RAW_BYTES = 84,
    PT_CHUNK_FIXED_SIZE = 88,
};

#define PT_CHUNK_FLAG_LAST     1u
#define PT_CHUNK_ENTRIES_MAX   65536u
#define PT_CHUNK_SYMBOLS_MAX   65536u
#define PT_CHUNK_KEYFRAME_MAX  512u
#define PT_CHUNK_RAW_MAX       (16u << 20)
#define PT_CHUNK_ARGUMENTS_MAX 65536u /* bytes of one control entry */
#define PT_CHUNK_TIME_ESCAPE   255u
#define PT_CHUNK_CLASS_SHIFT   29 /* of a symbol's class, above its kind and id */
#define PT_CHUNK_CLASS_BITS    3
#define PT_CHUNK_GROUPS        64u                   /* of times: pairs of classes */
#define PT_CHUNK_GROUPS_BYTES  (4 * PT_CHUNK_GROUPS) /* of the part that tells their sizes */
#define PT_LOST_PUSHED_MAX     (1u << 20)            /* frames that all LOST entries of a chunk may push together */
#define PT_LOST_FRAMES_MAX     16000u                /* of which this many may be told */
#define PT_STACK_DEPTH_MAX     (1u << 24)            /* open frames of a thread that are kept in mind */
#define PT_ASIDE_MAX           (1u << 18) /* greenlets of a thread whose stacks are kept in mind while others run */

/* --- 5.4 Kinds (chunks and rings) ---------------------------------------------------------------------------- */

enum pt_kind {
    PT_KIND_NONE = 0,
    PT_KIND_START = 1,
    PT_KIND_RESUME = 2,
    PT_KIND_THROW = 3,
    PT_KIND_C_CALL = 4,
    PT_KIND_OPEN = 5,
    PT_KIND_RETURN = 6,
    PT_KIND_YIELD = 7,
    PT_KIND_UNWIND = 8,
    PT_KIND_C_RETURN = 9,
    PT_KIND_C_RAISE = 10,
    PT_KIND_CLOSE = 11,
    PT_KIND_LINE = 12,
    PT_KIND_OPCODE = 13,
    PT_KIND_EXCEPTION = 14,
    PT_KIND_CONTROL = 31,
};

enum pt_control {
    PT_CONTROL_REBASE = 1, /* rings only */
    PT_CONTROL_STALL = 2,
    PT_CONTROL_LOST = 3,
    PT_CONTROL_SWITCH = 4,
    PT_CONTROL_MARK = 5,
    PT_CONTROL_FORGET = 6,
    PT_CONTROL_BACKSTEP = 7, /* chunks only */
};

#define PT_KIND_BITS  5
#define PT_ID_BITS    24
#define PT_ID_MAX     ((1u << PT_ID_BITS) - 1)
#define PT_TICK_BITS  35
#define PT_ID_UNKNOWN 0u /* stands for every function without an id of its own */

/* --- 6 INDEX ------------------------------------------------------------------------------------------------- */

enum {
    PT_INDEX_OFF_OFFSET = 0,
    PT_INDEX_OFF_TYPE = 8,
    PT_INDEX_OFF_THREAD = 12,
    PT_INDEX_OFF_FIRST_TICK = 16,
    PT_INDEX_OFF_LAST_TICK = 24,
    PT_INDEX_OFF_EVENTS = 32,
    PT_INDEX_OFF_RESERVED = 36,
    PT_INDEX_ENTRY_SIZE = 40,
};

/* --- 7 END --------------------------------------------------------------------------------------------------- */

#define PT_END_LENGTH_SIZE 4 /* of the block's length, behind the map */

/* --- 8 Arena -------------------------------------------------------------------------------------------------- */

#define PT_ARENA_MAGIC         UINT64_C(0x31414E4552415450) /* "PTARENA1" in memory */
#define PT_ARENA_ABI           1u
#define PT_ARENA_CONTROL_SIZE  4096u
#define PT_ARENA_FILE_NAME     "arena"
#define PT_ARENA_BOOT_ID_SIZE  40u
#define PT_ARENA_PROCESSES_MAX 4096u
#define PT_ARENA_SLOTS_MAX     4096u
#define PT_ARENA_JOURNAL_MIN   (32u << 10)
#define PT_ARENA_JOURNAL_MAX   (1u << 30)
#define PT_ARENA_RING_MIN      (16u << 10)
#define PT_ARENA_RING_MAX      (1u << 30)
#define PT_ARENA_NO_PROCESS    UINT32_MAX

#define PT_PROCESS_PROGRAM_SIZE 56 /* 8.2 */

#define PT_ARENA_FLAG_C_CALLS    1u
#define PT_ARENA_FLAG_DROP       2u
#define PT_ARENA_FLAG_CHILDREN   4u
#define PT_ARENA_FLAG_EXCEPTIONS 8u

#define PT_ARENA_PATTERN_SIZE 1024u /* with its NUL */

#define PT_ARENA_CLOSED 0x80000000u /* in `live`: the recording takes no more processes */

/* 8.2: notes of a process */
#define PT_PROCESS_NOTE_HOOK_REPLACED    1u
#define PT_PROCESS_NOTE_LATE_THREADS     2u
#define PT_PROCESS_NOTE_TRACE_TAKEN      4u
#define PT_PROCESS_NOTE_GREENLETS_MISSED 8u

/* 8.2: definitions in a journal */
enum {
    PT_JOURNAL_OFF_LENGTH = 0,
    PT_JOURNAL_OFF_ID = 4,
    PT_JOURNAL_OFF_HASH = 8,
    PT_JOURNAL_OFF_LINE = 16,
    PT_JOURNAL_OFF_KIND = 20,
    PT_JOURNAL_OFF_MODULE_LEN = 22,
    PT_JOURNAL_OFF_QUALNAME_LEN = 24,
    PT_JOURNAL_OFF_FILE_LEN = 26,
    PT_JOURNAL_OFF_LABEL_LEN = 28,
    PT_JOURNAL_OFF_RESERVED = 30,
    PT_JOURNAL_FIXED_SIZE = 32,
};

#define PT_JOURNAL_STRING_MAX 4096u
#define PT_JOURNAL_ENTRY_MAX  (PT_JOURNAL_FIXED_SIZE + 4 * PT_JOURNAL_STRING_MAX)

#endif
