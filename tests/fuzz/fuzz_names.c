/* Any bytes as the CBOR payload of each kind of metadata block, chosen by the first byte. */
#include "fuzz.h"
#include "meta.h"
#include "names.h"

static enum pt_status ignore_name(void *context, uint64_t process, uint32_t id, const struct pt_name *name)
{
    *(uint64_t *)context += process + id + name->module.size + name->qualname.size + name->file.size + name->label.size;
    return PT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const uint8_t *payload = data + 1;
    size_t count = size - 1;
    switch (data[0] % 6) {
    case 0: {
        struct pt_header header = {0};
        if (pt_header_decode(&header, payload, count) == PT_OK)
            pt_header_release(&header);
        break;
    }
    case 1: {
        struct pt_process process = {0};
        if (pt_process_decode(&process, payload, count) == PT_OK)
            pt_process_release(&process);
        break;
    }
    case 2: {
        struct pt_thread thread = {0};
        if (pt_thread_decode(&thread, payload, count) == PT_OK)
            pt_thread_release(&thread);
        break;
    }
    case 3: {
        struct pt_clock clock = {0};
        (void)!pt_clock_decode(&clock, payload, count);
        break;
    }
    case 4: {
        struct pt_end end = {0};
        if (pt_end_decode(&end, payload, count) == PT_OK)
            pt_end_release(&end);
        break;
    }
    case 5: {
        uint64_t sum = 0;
        (void)!pt_names_decode(payload, count, ignore_name, &sum);
        break;
    }
    }
    return 0;
}
