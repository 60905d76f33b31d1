/* SPDX-License-Identifier: Apache-2.0 */
/* sort.c - quicksort, heap sort, merge sort and libc's qsort. size: thousands of numbers. */
#include "workload.h"

#include <stdlib.h>

static void quick_sort(u32 *list, i32 low, i32 high)
{
    while (low < high) {
        u32 pivot = list[low + (high - low) / 2];
        i32 i = low;
        i32 k = high;
        while (i <= k) {
            while (list[i] < pivot) i++;
            while (list[k] > pivot) k--;
            if (i > k) break;
            u32 swap = list[i];
            list[i++] = list[k];
            list[k--] = swap;
        }
        quick_sort(list, low, k);
        low = i;
    }
}

static void sift(u32 *heap, u32 root, u32 count)
{
    u32 value = heap[root];
    for (u32 child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && heap[child + 1] > heap[child]) child++;
        if (heap[child] <= value) break;
        heap[root] = heap[child];
        root = child;
    }
    heap[root] = value;
}

static void heap_sort(u32 *list, u32 count)
{
    for (u32 i = count / 2; i-- > 0;) sift(list, i, count);
    for (u32 i = count - 1; i > 0; i--) {
        u32 top = list[0];
        list[0] = list[i];
        list[i] = top;
        sift(list, 0, i);
    }
}

static void merge_sort(u32 *list, u32 *spare, u32 count)
{
    for (u32 width = 1; width < count; width *= 2) {
        for (u32 from = 0; from < count; from += 2 * width) {
            u32 middle = from + width < count ? from + width : count;
            u32 end = middle + width < count ? middle + width : count;
            u32 a = from;
            u32 b = middle;
            for (u32 to = from; to < end; to++) {
                spare[to] = a < middle && (b >= end || list[a] <= list[b]) ? list[a++] : list[b++];
            }
        }
        memcpy(list, spare, count * sizeof list[0]);
    }
}

static int compare(const void *left, const void *right)
{
    u32 a = *(const u32 *)left;
    u32 b = *(const u32 *)right;
    return (a > b) - (a < b);
}

u64 workload(u32 size)
{
    u32 count = size * 1000;
    u32 *list = wl_alloc(count * sizeof list[0]);
    u32 *spare = wl_alloc(count * sizeof list[0]);
    u32 seed = 17;
    u64 sum = 0;
    for (u32 way = 0; way < 4; way++) {
        for (u32 i = 0; i < count; i++) list[i] = wl_random(&seed);
        if (way == 0) quick_sort(list, 0, (i32)count - 1);
        if (way == 1) heap_sort(list, count);
        if (way == 2) merge_sort(list, spare, count);
        if (way == 3) qsort(list, count / 4, sizeof list[0], compare);
        for (u32 i = 0; i < count; i++) sum = wl_mix(sum, list[i]);
    }
    return sum;
}
