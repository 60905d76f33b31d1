/* SPDX-License-Identifier: Apache-2.0 */
/* btree.c - a table with a B-tree index: inserts, look-ups, ranges. size: thousands of rows. */
#include "workload.h"

enum { ORDER = 16, COLUMNS = 4 };

struct row {
    u32 columns[COLUMNS];
};

struct node {
    u32 count;
    u32 is_leaf;
    u32 keys[2 * ORDER - 1];
    struct row *rows[2 * ORDER - 1];
    struct node *kids[2 * ORDER];
};

static struct node *new_node(u32 is_leaf)
{
    struct node *node = wl_alloc(sizeof *node);
    node->is_leaf = is_leaf;
    return node;
}

/* First place whose key is not below. */
static u32 place(const struct node *node, u32 key)
{
    u32 low = 0;
    u32 high = node->count;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (node->keys[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void open_gap(struct node *node, u32 at)
{
    for (u32 i = node->count++; i > at; i--) {
        node->keys[i] = node->keys[i - 1];
        node->rows[i] = node->rows[i - 1];
        node->kids[i + 1] = node->kids[i];
    }
}

/* Child `at` is full: its upper half becomes a new child beside it. */
static void split(struct node *node, u32 at)
{
    struct node *left = node->kids[at];
    struct node *right = new_node(left->is_leaf);
    right->count = ORDER - 1;
    left->count = ORDER - 1;
    memcpy(right->keys, left->keys + ORDER, sizeof left->keys[0] * (ORDER - 1));
    memcpy(right->rows, left->rows + ORDER, sizeof left->rows[0] * (ORDER - 1));
    memcpy(right->kids, left->kids + ORDER, sizeof left->kids[0] * ORDER);
    open_gap(node, at);
    node->keys[at] = left->keys[ORDER - 1];
    node->rows[at] = left->rows[ORDER - 1];
    node->kids[at + 1] = right;
}

static struct node *insert(struct node *root, struct row *row)
{
    u32 key = row->columns[0];
    if (root->count == 2 * ORDER - 1) {
        struct node *top = new_node(0);
        top->kids[0] = root;
        split(top, 0);
        root = top;
    }
    struct node *node = root;
    while (!node->is_leaf) {
        u32 at = place(node, key);
        if (node->kids[at]->count == 2 * ORDER - 1) {
            split(node, at);
            if (node->keys[at] < key) at++;
        }
        node = node->kids[at];
    }
    u32 at = place(node, key);
    open_gap(node, at);
    node->keys[at] = key;
    node->rows[at] = row;
    return root;
}

static const struct row *look_up(const struct node *node, u32 key)
{
    for (;;) {
        u32 at = place(node, key);
        if (at < node->count && node->keys[at] == key) return node->rows[at];
        if (node->is_leaf) return NULL;
        node = node->kids[at];
    }
}

typedef u32 (*predicate)(const struct row *row);
static u32 is_even(const struct row *row) { return !(row->columns[1] & 1); }
static u32 is_small(const struct row *row) { return row->columns[2] < 500; }
static u32 is_ordered(const struct row *row) { return row->columns[1] < row->columns[2]; }

struct query {
    u32 from, to;
    predicate where;
    u64 totals[8]; /* grouped by the last column */
};

static void select_range(const struct node *node, struct query *query)
{
    for (u32 i = place(node, query->from); i <= node->count; i++) {
        if (!node->is_leaf) select_range(node->kids[i], query);
        if (i == node->count || node->keys[i] >= query->to) break;
        const struct row *row = node->rows[i];
        if (query->where(row)) query->totals[row->columns[3]] += row->columns[2];
    }
}

u64 workload(u32 size)
{
    static const predicate wheres[] = {is_even, is_small, is_ordered};
    u32 count = size * 1000;
    u32 seed = 3;
    u64 sum = 0;
    struct row *table = wl_alloc(count * sizeof table[0]);
    struct node *root = new_node(1);
    for (u32 i = 0; i < count; i++) {
        u32 random = wl_random(&seed);
        table[i] = (struct row){{random, random % 977, (random >> 7) % 1000, random >> 29}};
        root = insert(root, &table[i]);
    }
    for (u32 i = 0; i < 3 * count; i++) {
        const struct row *row = look_up(root, i % 2 ? table[i / 3].columns[0] : i);
        sum += row ? row->columns[1] : 1;
    }
    for (u32 i = 0; i < 300; i++) {
        u32 from = wl_random(&seed);
        struct query query = {.from = from, .to = from | 0x3ffffff, .where = wheres[i % 3]};
        select_range(root, &query);
        for (u32 k = 0; k < 8; k++) sum = wl_mix(sum, query.totals[k]);
    }
    return sum;
}
