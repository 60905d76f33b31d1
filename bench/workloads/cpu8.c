/* SPDX-License-Identifier: Apache-2.0 */
/* cpu8.c - an emulator: an invented 8-bit processor with flags. size: 100,000 steps. */
#include "workload.h"

enum { CARRY = 1, ZERO = 2, NEGATIVE = 4 };

struct cpu {
    u8 a, x, y, flags, sp;
    u16 pc;
    u64 cycles;
    u8 memory[65536];
};

static struct cpu cpu;

static u8 next(void) { return cpu.memory[cpu.pc++]; }
static u16 next_word(void)
{
    u16 low = next();
    return (u16)(low | next() << 8);
}
static void push(u8 value) { cpu.memory[0x100 | cpu.sp--] = value; }
static u8 pop(void) { return cpu.memory[0x100 | ++cpu.sp]; }

static u8 flagged(u32 value)
{
    u8 byte = (u8)value;
    cpu.flags = (u8)((cpu.flags & CARRY) | (byte ? 0 : ZERO) | (byte & 0x80 ? NEGATIVE : 0));
    return byte;
}

static u8 carried(u32 value)
{
    cpu.flags = (u8)((cpu.flags & ~CARRY) | (value > 0xff ? CARRY : 0));
    return flagged(value);
}

static void branch(u32 taken)
{
    signed char by = (signed char)next();
    if (!taken) return;
    cpu.pc = (u16)(cpu.pc + by);
    cpu.cycles++;
}

static void step(void)
{
    u8 *mem = cpu.memory;
    u16 at = 0;
    u32 carry = cpu.flags & CARRY;
    cpu.cycles += 2;
    switch (next() & 31) {
    case 0: cpu.a = flagged(next()); break;
    case 1: cpu.a = flagged(mem[next()]); break;
    case 2: cpu.a = flagged(mem[next_word()]); break;
    case 3: at = next_word(), cpu.a = flagged(mem[(u16)(at + cpu.x)]); break;
    case 4: mem[next()] = cpu.a; break;
    case 5: at = next_word(), mem[(u16)(at + cpu.x)] = cpu.a; break;
    case 6: cpu.x = flagged(next()); break;
    case 7: cpu.y = flagged(next()); break;
    case 8: cpu.x = flagged(cpu.x + 1u); break;
    case 9: cpu.x = flagged(cpu.x - 1u); break;
    case 10: cpu.y = flagged(cpu.y + 1u); break;
    case 11: cpu.y = flagged(cpu.y - 1u); break;
    case 12: cpu.a = carried(cpu.a + next() + carry); break;
    case 13: cpu.a = carried(cpu.a + mem[next()] + carry); break;
    case 14: cpu.a = carried(cpu.a + (u8)~next() + carry); break;
    case 15: cpu.a = flagged(cpu.a & next()); break;
    case 16: cpu.a = flagged(cpu.a | next()); break;
    case 17: cpu.a = flagged(cpu.a ^ next()); break;
    case 18: cpu.a = flagged(cpu.a ^ mem[next()]); break;
    case 19: cpu.a = carried(cpu.a << 1 | carry); break;
    case 20: cpu.a = carried(cpu.a >> 1 | carry << 7 | (cpu.a & 1) << 8); break;
    case 21: branch(cpu.flags & ZERO); break;
    case 22: branch(!(cpu.flags & ZERO)); break;
    case 23: branch(cpu.flags & CARRY); break;
    case 24: branch(cpu.flags & NEGATIVE); break;
    case 25: cpu.pc = next_word(); break;
    case 26: at = next_word(), push((u8)(cpu.pc >> 8)), push((u8)cpu.pc), cpu.pc = at; break;
    case 27: cpu.pc = pop(), cpu.pc |= (u16)(pop() << 8); break;
    case 28: at = next(), mem[at] = flagged(mem[at] + 1u); break;
    case 29: cpu.x = flagged(cpu.a); break;
    case 30: cpu.a = flagged(cpu.x); break;
    case 31: cpu.a = flagged(cpu.y); break;
    }
}

/* At 0x200: mixes a page of memory for ever, through a subroutine at 0x300. */
static const u8 code[] = {
    6,  0, /* x = 0 */
    3,  0,    0x10, /* loop: a = [0x1000 + x] */
    26, 0,    3, /* call 0x300 */
    5,  0,    0x10, /* [0x1000 + x] = a */
    8, /* x++ */
    22, 0xf4, /* not zero: loop */
    28, 0x80, /* [0x80]++ */
    7,  9,    11, /* y = 9; again: y-- */
    22, 0xfd, /* not zero: again */
    25, 0,    2, /* jump 0x200 */
};
static const u8 subroutine[] = {
    12, 0x35, /* a += 0x35 + carry */
    18, 0x80, /* a ^= [0x80] */
    19, 23,   2, /* rotate; carry: skip 2 */
    17, 0x5a, /* a ^= 0x5a */
    24, 1,    20, /* negative: skip 1; rotate back */
    4,  0x81, 13, 0x81, 27,
};

u64 workload(u32 size)
{
    u64 sum = 0;
    memcpy(cpu.memory + 0x200, code, sizeof code);
    memcpy(cpu.memory + 0x300, subroutine, sizeof subroutine);
    cpu.pc = 0x200;
    cpu.sp = 0xff;
    for (u32 round = 0; round < size; round++) {
        for (u32 i = 0; i < 100000; i++) step();
        sum = wl_mix(sum, cpu.cycles + cpu.a);
    }
    for (u32 i = 0; i < 256; i++) sum = wl_mix(sum, cpu.memory[0x1000 + i]);
    return sum;
}
