/* SPDX-License-Identifier: Apache-2.0 */
/* Which segments an image can hold, writing it, mapping it. */
#include "runtime/image.h"

#include "platform/cowfile.h"
#include "platform/vmem.h"
#include "runtime/exec.h" /* VM_STRESS */
#include "runtime/objects.h"

#include <string.h>

enum { IMAGE_UNTRIED, IMAGE_IN_THE_MAKING, IMAGE_REFUSED, IMAGE_THERE };

/*
 * Less data than this is copied: mapping costs about as much as copying four to eight pages. Stress
 * builds make images of everything that has data.
 */
#define LEAST_DATA (VM_STRESS ? (u64)1 : (u64)32 << 10)
/* Extents this close to each other become one: a mapping more costs more than a few zero pages. */
#define JOINED_GAP ((u64)64 << 10)
/* An image is at most this many times the data: holes become pages when somebody reads them. */
enum { MOST_WASTE = VM_STRESS ? 1 << 20 : 4 };

/* ---- which segments */

struct plan {
    struct vm_image image;
    u64 memory_bytes, page_bytes;
    u64 data_bytes; /* in segments below data_end */
};

/** Adds pages; false when there are too many extents. They stay sorted and apart. */
static bool add_extent(struct vm_image *image, u64 begin, u64 end)
{
    struct vm_image_extent *e = image->extents;
    u32 n = image->extent_count, first = 0;
    while (first < n && e[first].addr + e[first].bytes + JOINED_GAP < begin) first++;
    u32 last = first; /* behind those that it touches */
    while (last < n && e[last].addr <= end + JOINED_GAP) last++;
    if (first == last && n == VM_IMAGE_EXTENTS) return false;
    if (first < last) {
        u64 last_end = e[last - 1].addr + e[last - 1].bytes;
        begin = begin < e[first].addr ? begin : e[first].addr;
        end = end > last_end ? end : last_end;
    }
    memmove(&e[first + 1], &e[last], (n - last) * sizeof *e);
    e[first] = (struct vm_image_extent){.addr = begin, .bytes = end - begin};
    image->extent_count = n - (last - first) + 1;
    return true;
}

/** Where an active segment goes in every instance; false when that differs or is out of bounds. */
static bool fixed_address(const struct vm_module *m, const struct plan *p,
                          const struct vm_data_decl *d, u64 *addr)
{
    if (d->memory != p->image.memory || !vm_constexpr_fixed(m, d->offset, addr)) return false;
    return vm_range_ok(*addr, d->bytes.size, p->memory_bytes);
}

/** Memory and bytes of the plan, from the first active segment; false: no memory for an image. */
static bool plan_memory(const struct vm_module *m, struct plan *p)
{
    u32 i = 0;
    while (i < m->data_count && m->datas[i].mode != VM_SEGMENT_ACTIVE) i++;
    if (i == m->data_count) return false;
    u32 memory = m->datas[i].memory;
    const struct vm_limits *type = &m->memories[memory];
    p->image.memory = memory;
    p->memory_bytes = type->min << type->page_log2;
    p->page_bytes = vm_page_bytes();
    /* other threads may use a shared memory already: nothing is mapped over it */
    return memory >= m->n_imported[VM_EXTERN_MEMORY] && !type->is_shared &&
           type->page_log2 == VM_PAGE_LOG2 && p->page_bytes <= (usize)1 << VM_PAGE_LOG2;
}

/** Takes segments as long as they fit; false when it comes to too little. */
static bool plan(const struct vm_module *m, struct plan *p)
{
    u64 file_bytes = 0;
    if (!plan_memory(m, p)) return false;
    for (u32 i = 0; i < m->data_count; i++) {
        const struct vm_data_decl *d = &m->datas[i];
        u64 addr, size = d->bytes.size;
        if (d->mode == VM_SEGMENT_ACTIVE) {
            if (!fixed_address(m, p, d, &addr)) break;
            u64 begin = addr / p->page_bytes * p->page_bytes;
            u64 end = (addr + size + p->page_bytes - 1) / p->page_bytes * p->page_bytes;
            if (size && !add_extent(&p->image, begin, end)) break;
            p->data_bytes += size;
        }
        p->image.data_end = i + 1;
    }
    for (u32 i = 0; i < p->image.extent_count; i++) {
        p->image.extents[i].at = file_bytes;
        file_bytes += p->image.extents[i].bytes;
    }
    return p->data_bytes >= LEAST_DATA && file_bytes / MOST_WASTE <= p->data_bytes;
}

/* ---- writing */

enum { COLLECTED = 1 << 16 };
/**
 * Collects small segments that follow each other, so that a module of thousands costs few system
 * calls. Gaps are filled with zeroes, which is right only above all that was written before.
 */
struct writer {
    const struct vm_image *image;
    u64 top;  /* no byte from here on has been written */
    u64 at;   /* of the bytes collected, in the file */
    u32 used; /* of `bytes` */
    bool ok;
    u8 *bytes; /* COLLECTED */
};

static void flush(struct writer *w)
{
    if (w->used) w->ok = w->ok && vm_cowfile_write(w->image->fd, w->at, w->bytes, w->used);
    if (w->top < w->at + w->used) w->top = w->at + w->used;
    w->used = 0;
}

/** Address of a memory as a place in the file. */
static u64 file_place(const struct vm_image *image, u64 addr)
{
    u32 i = 0;
    while (i + 1 < image->extent_count && image->extents[i + 1].addr <= addr) i++;
    return image->extents[i].at + (addr - image->extents[i].addr);
}

static void write_segment(struct writer *w, u64 at, const u8 *data, u32 size)
{
    bool follows = w->used && at >= w->at + w->used && at - w->at <= COLLECTED &&
                   size <= COLLECTED - (at - w->at);
    if (!follows) flush(w);
    if (size > COLLECTED || (!follows && at < w->top)) {
        w->ok = w->ok && vm_cowfile_write(w->image->fd, at, data, size);
        if (w->top < at + size) w->top = at + size;
        return;
    }
    if (!follows) w->at = at;
    u32 begin = (u32)(at - w->at);
    memset(w->bytes + w->used, 0, begin - w->used);
    memcpy(w->bytes + begin, data, size);
    w->used = begin + size;
}

static bool write_segments(const struct vm_program *program, const struct plan *p)
{
    const struct vm_module *m = &program->module;
    const struct vm_alloc *alloc = program->alloc;
    struct writer w = {.image = &p->image, .bytes = vm_alloc_zero(alloc, COLLECTED)};
    w.ok = w.bytes != NULL;
    for (u32 i = 0; i < p->image.data_end && w.ok; i++) {
        const struct vm_data_decl *d = &m->datas[i];
        u64 addr;
        if (d->mode != VM_SEGMENT_ACTIVE || d->bytes.size == 0) continue;
        w.ok = fixed_address(m, p, d, &addr); /* as it was when planned */
        if (w.ok)
            write_segment(&w, file_place(&p->image, addr), m->bytes + d->bytes.start,
                          d->bytes.size);
    }
    flush(&w);
    vm_alloc_free(alloc, w.bytes, COLLECTED);
    return w.ok;
}

/** Makes the file of a plan; false when the system does not play along. */
static bool make(const struct vm_program *program, struct plan *p)
{
    struct vm_image *image = &p->image;
    const struct vm_image_extent *last = &image->extents[image->extent_count - 1];
    image->fd = vm_cowfile_new(last->at + last->bytes);
    if (image->fd < 0) return false;
    if (write_segments(program, p) && vm_cowfile_seal(image->fd)) return true;
    vm_cowfile_delete(image->fd);
    return false;
}

/** True when the image is there, perhaps after making it. */
static bool is_there(struct vm_program *program)
{
    struct vm_image *image = &program->image;
    /* acquire: pairs with the release below */
    u32 state = atomic_load_explicit(&image->state, memory_order_acquire);
    if (state != IMAGE_UNTRIED) return state == IMAGE_THERE;
    if (!atomic_compare_exchange_strong_explicit(&image->state, &state, IMAGE_IN_THE_MAKING,
                                                 memory_order_relaxed, memory_order_relaxed))
        return false;
    struct plan p;
    memset(&p, 0, sizeof p);
    bool made = plan(&program->module, &p) && make(program, &p);
    if (made) {
        image->fd = p.image.fd;
        image->memory = p.image.memory;
        image->data_end = p.image.data_end;
        image->extent_count = p.image.extent_count;
        memcpy(image->extents, p.image.extents, sizeof image->extents);
    }
    /* release: publishes the fields above */
    atomic_store_explicit(&image->state, made ? IMAGE_THERE : IMAGE_REFUSED, memory_order_release);
    return made;
}

/* ---- mapping */

enum vm_image_result vm_image_map(struct vm_instance *in)
{
    struct vm_image *image = &in->program->image;
    if (!is_there(in->program)) return VM_IMAGE_NONE;
    struct vm_memory *memory = in->memories[image->memory];
    for (u32 i = 0; i < image->extent_count; i++) {
        const struct vm_image_extent *e = &image->extents[i];
        enum vm_cowfile_result r =
            vm_cowfile_map(image->fd, e->at, memory->base + e->addr, e->bytes);
        if (r == VM_COWFILE_LOST) {
            /* functions of this instance may be in an imported table: nothing is in bounds now */
            atomic_store_explicit(&memory->size_bytes, 0, memory_order_relaxed);
            return VM_IMAGE_BROKEN;
        }
        /* extents before this one hold what will be written there again */
        if (r == VM_COWFILE_ZEROED) return VM_IMAGE_NONE;
    }
    return VM_IMAGE_MAPPED;
}

void vm_image_fini(struct vm_image *image)
{
    if (atomic_load_explicit(&image->state, memory_order_acquire) == IMAGE_THERE)
        vm_cowfile_delete(image->fd);
}
