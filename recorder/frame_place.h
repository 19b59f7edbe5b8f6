/* Where a frame stands, before 3.12: read in place, without a call and a reference, as the hook asks at every event. */
#ifndef PT_FRAME_PLACE_H
#define PT_FRAME_PLACE_H

#include <Python.h>

#include <frameobject.h>

#if PY_VERSION_HEX >= 0x030B0000
#define Py_BUILD_CORE
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE
#endif

/* Borrowed: the frame has it. */
static inline PyCodeObject *pt_frame_place_code(const PyFrameObject *frame)
{
#if PY_VERSION_HEX >= 0x030B0000
    return frame->f_frame->f_code;
#else
    return frame->f_code;
#endif
}

/* The instruction at which the frame was entered or left, as opcode and argument; NULL if it has not begun. */
static inline const unsigned char *pt_frame_place_instruction(const PyFrameObject *frame)
{
#if PY_VERSION_HEX >= 0x030B0000
    const unsigned char *first = (const unsigned char *)frame->f_frame->f_code->co_code_adaptive;
    const unsigned char *instruction = (const unsigned char *)frame->f_frame->prev_instr;
    return instruction < first ? NULL : instruction;
#else
    const unsigned char *first = (const unsigned char *)PyBytes_AS_STRING(frame->f_code->co_code);
    const int unit_bytes = PY_VERSION_HEX >= 0x030A0000 ? 2 : 1; /* of f_lasti */
    return frame->f_lasti < 0 ? NULL : first + frame->f_lasti * unit_bytes;
#endif
}

#endif
