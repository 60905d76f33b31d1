/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c - a bounded queue for many threads, accounts behind spin locks, counters of all widths;
 * one thread, so nothing is contended. size: thousands of messages.
 */
#include "workload.h"

#include <stdatomic.h>

enum { SLOTS = 256, ACCOUNTS = 64 };

/* ---------------------------------------------------------------- the queue */

/* A slot's turn says who may use it next: place to write, place + 1 to read. */
struct slot {
    _Atomic u32 turn;
    u32 value;
};

struct ring {
    struct slot slots[SLOTS];
    _Atomic u32 head, tail;
};

static int push(struct ring *ring, u32 value)
{
    u32 place = atomic_load_explicit(&ring->head, memory_order_relaxed);
    for (;;) {
        struct slot *slot = &ring->slots[place % SLOTS];
        i32 early = (i32)(atomic_load_explicit(&slot->turn, memory_order_acquire) - place);
        if (early < 0) return 0;
        if (early > 0) {
            place = atomic_load_explicit(&ring->head, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak(&ring->head, &place, place + 1)) {
            slot->value = value;
            atomic_store_explicit(&slot->turn, place + 1, memory_order_release);
            return 1;
        }
    }
}

static int pop(struct ring *ring, u32 *value)
{
    u32 place = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    for (;;) {
        struct slot *slot = &ring->slots[place % SLOTS];
        i32 early = (i32)(atomic_load_explicit(&slot->turn, memory_order_acquire) - place - 1);
        if (early < 0) return 0;
        if (early > 0) {
            place = atomic_load_explicit(&ring->tail, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak(&ring->tail, &place, place + 1)) {
            *value = slot->value;
            atomic_store_explicit(&slot->turn, place + SLOTS, memory_order_release);
            return 1;
        }
    }
}

/* ---------------------------------------------------------------- what messages do */

struct account {
    _Atomic u32 lock;
    u32 transfers;
    u64 balance;
};

struct bank {
    struct account accounts[ACCOUNTS];
    _Atomic u8 bytes[ACCOUNTS];
    _Atomic u16 halves[ACCOUNTS];
    _Atomic u32 words[ACCOUNTS];
    _Atomic u64 total;
};

static void lock(struct account *account)
{
    while (atomic_exchange_explicit(&account->lock, 1, memory_order_acquire)) {
        while (atomic_load_explicit(&account->lock, memory_order_relaxed)) {
        }
    }
}

static void unlock(struct account *account)
{
    atomic_store_explicit(&account->lock, 0, memory_order_release);
}

/* The lower account is locked first. */
static void transfer(struct bank *bank, u32 message)
{
    u32 from = message % ACCOUNTS, to = message >> 8 & (ACCOUNTS - 1), amount = message >> 20;
    if (from == to) return;
    struct account *a = &bank->accounts[from], *b = &bank->accounts[to];
    lock(from < to ? a : b);
    lock(from < to ? b : a);
    a->balance -= amount;
    b->balance += amount;
    a->transfers++;
    unlock(a);
    unlock(b);
    atomic_fetch_add(&bank->total, amount);
}

static void count(struct bank *bank, u32 message)
{
    u32 at = message >> 12 & (ACCOUNTS - 1);
    atomic_fetch_add(&bank->bytes[at], (u8)message);
    atomic_fetch_xor(&bank->halves[at], (u16)message);
    atomic_fetch_or(&bank->words[at], 1u << (message & 31));
    atomic_fetch_and(&bank->words[at], ~(1u << (message >> 5 & 31)));
}

u64 workload(u32 size)
{
    struct ring *ring = wl_alloc(sizeof *ring);
    struct bank *bank = wl_alloc(sizeof *bank);
    u32 seed = 11, message = 0;
    u64 sum = 0;
    for (u32 i = 0; i < SLOTS; i++) atomic_init(&ring->slots[i].turn, i);
    for (u64 left = (u64)size * 1000; left;) {
        u32 burst = wl_random(&seed) % SLOTS + 1;
        for (; burst && left && push(ring, wl_random(&seed)); burst--) left--;
        for (burst = wl_random(&seed) % SLOTS + 1; burst && pop(ring, &message); burst--) {
            transfer(bank, message);
            count(bank, message);
        }
    }
    while (pop(ring, &message)) sum = wl_mix(sum, message);
    for (u32 i = 0; i < ACCOUNTS; i++) {
        sum = wl_mix(sum, bank->accounts[i].balance + bank->accounts[i].transfers);
        sum = wl_mix(sum, (u32)bank->bytes[i] << 16 | bank->halves[i]);
        sum = wl_mix(sum, bank->words[i]);
    }
    return wl_mix(sum, bank->total);
}
