#include "journal.h"

#include <string.h>

#include "bytes.h"

_Static_assert(PT_JOURNAL_ENTRY_MAX <= PT_ARENA_JOURNAL_MIN, "any definition fits in an empty journal");

/* The longest head of `text` within the cap that does not end inside a UTF-8 sequence. */
static uint16_t cut(struct pt_text text)
{
    if (text.size <= PT_JOURNAL_STRING_MAX)
        return (uint16_t)text.size;
    uint32_t size = PT_JOURNAL_STRING_MAX;
    for (unsigned back = 0; back < 4 && ((uint8_t)text.data[size] & 0xC0) == 0x80; back++)
        size--;
    return (uint16_t)size;
}

/* Copies `count` bytes into the ring at byte position `position`; returns the position behind them. */
static uint64_t put(uint8_t *journal, uint64_t journal_size, uint64_t position, const void *bytes, uint64_t count)
{
    uint64_t at = position & (journal_size - 1);
    uint64_t head = count < journal_size - at ? count : journal_size - at;
    if (head > 0)
        memcpy(journal + at, bytes, head);
    if (count > head)
        memcpy(journal, (const uint8_t *)bytes + head, count - head);
    return position + count;
}

static void get(const uint8_t *journal, uint64_t journal_size, uint64_t position, void *bytes, uint64_t count)
{
    uint64_t at = position & (journal_size - 1);
    uint64_t head = count < journal_size - at ? count : journal_size - at;
    memcpy(bytes, journal + at, head);
    if (count > head)
        memcpy((uint8_t *)bytes + head, journal, count - head);
}

int pt_journal_append(struct pt_arena_process *process, uint8_t *journal, uint64_t journal_size, uint32_t id,
                      const struct pt_name *name)
{
    const struct pt_text texts[4] = {name->module, name->qualname, name->file, name->label};
    const unsigned length_offsets[4] = {PT_JOURNAL_OFF_MODULE_LEN, PT_JOURNAL_OFF_QUALNAME_LEN, PT_JOURNAL_OFF_FILE_LEN,
                                        PT_JOURNAL_OFF_LABEL_LEN};
    static const uint8_t padding[8] = {0};
    uint8_t fixed[PT_JOURNAL_FIXED_SIZE] = {0};
    uint16_t lengths[4];
    uint32_t length = PT_JOURNAL_FIXED_SIZE;

    for (unsigned i = 0; i < 4; i++) {
        lengths[i] = cut(texts[i]);
        pt_bytes_store16(fixed + length_offsets[i], lengths[i]);
        length += lengths[i];
    }
    uint32_t padded = (length + 7) & ~7u;

    uint64_t produced = atomic_load_explicit(&process->produced, memory_order_relaxed); /* only this side writes it */
    /* Acquire pairs with the drain's release: it has read what is overwritten here. */
    uint64_t consumed = atomic_load_explicit(&process->consumed, memory_order_acquire);
    if (padded > journal_size - (produced - consumed))
        return 0;

    pt_bytes_store32(fixed + PT_JOURNAL_OFF_LENGTH, padded);
    pt_bytes_store32(fixed + PT_JOURNAL_OFF_ID, id);
    pt_bytes_store64(fixed + PT_JOURNAL_OFF_HASH, name->hash);
    pt_bytes_store32(fixed + PT_JOURNAL_OFF_LINE, name->line);
    pt_bytes_store16(fixed + PT_JOURNAL_OFF_KIND, (uint16_t)name->kind);

    uint64_t at = put(journal, journal_size, produced, fixed, sizeof fixed);
    for (unsigned i = 0; i < 4; i++)
        at = put(journal, journal_size, at, texts[i].data, lengths[i]);
    put(journal, journal_size, at, padding, padded - length);
    /* Publishes the definition to the drain, and to salvage. */
    atomic_store_explicit(&process->produced, produced + padded, memory_order_release);
    return 1;
}

enum pt_status pt_journal_read(const uint8_t *journal, uint64_t journal_size, uint64_t *position, uint64_t produced,
                               uint8_t *scratch, uint32_t *id, struct pt_name *name)
{
    uint64_t there = produced - *position;
    if (there < PT_JOURNAL_FIXED_SIZE || there > journal_size)
        return PT_CORRUPT;
    /* The fixed part is copied, then checked, then used: the owner might still change what lies in the ring. */
    get(journal, journal_size, *position, scratch, PT_JOURNAL_FIXED_SIZE);
    uint32_t padded = pt_bytes_load32(scratch + PT_JOURNAL_OFF_LENGTH);
    uint32_t module = pt_bytes_load16(scratch + PT_JOURNAL_OFF_MODULE_LEN);
    uint32_t qualname = pt_bytes_load16(scratch + PT_JOURNAL_OFF_QUALNAME_LEN);
    uint32_t file = pt_bytes_load16(scratch + PT_JOURNAL_OFF_FILE_LEN);
    uint32_t label = pt_bytes_load16(scratch + PT_JOURNAL_OFF_LABEL_LEN);
    uint16_t kind = pt_bytes_load16(scratch + PT_JOURNAL_OFF_KIND);
    if (module > PT_JOURNAL_STRING_MAX || qualname > PT_JOURNAL_STRING_MAX || file > PT_JOURNAL_STRING_MAX ||
        label > PT_JOURNAL_STRING_MAX || kind > PT_NAME_RAISE_SITE ||
        pt_bytes_load16(scratch + PT_JOURNAL_OFF_RESERVED) != 0)
        return PT_CORRUPT;
    uint32_t texts = module + qualname + file + label;
    if (padded != ((PT_JOURNAL_FIXED_SIZE + texts + 7) & ~7u) || padded > there)
        return PT_CORRUPT;

    char *text = (char *)scratch + PT_JOURNAL_FIXED_SIZE;
    if (texts > 0)
        get(journal, journal_size, *position + PT_JOURNAL_FIXED_SIZE, text, texts);
    *id = pt_bytes_load32(scratch + PT_JOURNAL_OFF_ID);
    *name = (struct pt_name){
        .kind = kind,
        .line = pt_bytes_load32(scratch + PT_JOURNAL_OFF_LINE),
        .hash = pt_bytes_load64(scratch + PT_JOURNAL_OFF_HASH),
        .module = {text, module},
        .qualname = {text + module, qualname},
        .file = {text + module + qualname, file},
        .label = {text + module + qualname + file, label},
    };
    *position += padded;
    return PT_OK;
}
