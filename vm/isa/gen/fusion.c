/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes chains.def (one row per instruction, with its steps) and edges.def (which chain follows
 * from which) into the build: fusion DIRECTORY all|none|N LIST|- [PINS FLOATS], where LIST names
 * the chains (chains.list); without one they are those of the families, always.list names those
 * that are exempt from the cut, and families.list gives each its family. pins.def says how many
 * locals are pinned: what the list's line "# pins INTEGERS FLOATS" says, or what is asked for, with
 * some forms for tests then. No rules here.
 */
#include "isa/gen/fusion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- parts */

enum kind {
    UN_,
    UNT_,
    BIN_,
    BINT_,
    TER_,
    LANE_,
    LANES_,
    LOAD_,
    LOADX_,
    VLOAD_,
    VLOADX_,
    VLOADL_,
    VLOADLX_,
    STORE_,
    STOREX_,
    VSTOREL_,
    VSTORELX_,
    ALOAD_,
    ASTORE_,
    ARMW_,
    ACMPXCHG_,
    SPECIAL_,
    JUMP_
};

struct part {
    const char *name;
    enum kind kind;
    int inputs;
    const char *in[3];  /* what types they want */
    const char *R;      /* "none": no result */
    const char *M;      /* memory type, and what ARMW does with it */
    int imm;            /* halves */
    const char *inverse;
    bool traps;
};

#define T1(A) {A, "", ""}
#define T2(A, B) {A, B, ""}
#define PAIR(n, kind, in, IN, R, M, imm)                                                           \
    {#n, kind, in, IN, R, M, imm, NULL, true},                                                     \
        {#n "_x", kind + 1, in, IN, R, M, imm + 2, NULL, true},

static const struct part parts[] = {
#define UN(n, OP, R, A) {#n, UN_, 1, T1(#A), #R, "", 0, NULL, false},
#define UNT(n, OP, R, A) {#n, UNT_, 1, T1(#A), #R, "", 0, NULL, true},
#define IBIN(n, OP, T, C) {#n, BIN_, 2, T2(#T, #T), #T, "", 0, NULL, false},
#define IBINT(n, OP, T) {#n, BINT_, 2, T2(#T, #T), #T, "", 0, NULL, true},
#define FBIN(n, OP, T) {#n, BIN_, 2, T2(#T, #T), #T, "", 0, NULL, false},
#define ICMP(n, OP, T, INV, MIR) {#n, BIN_, 2, T2(#T, #T), "u32", "", 0, #INV, false},
#define FCMP(n, OP, T) {#n, BIN_, 2, T2(#T, #T), "u32", "", 0, NULL, false},
#define LOAD(n, OP, R, M) PAIR(n, LOAD_, 1, T1("u32"), #R, #M, 2)
#define STORE(n, OP, T, M) PAIR(n, STORE_, 2, T2("u32", #T), "none", #M, 2)
#define VBIN(n, OP, B, C) {#n, BIN_, 2, T2("v128", #B), "v128", "", 0, NULL, false},
#define VTER(n, OP) {#n, TER_, 3, {"v128", "v128", "v128"}, "v128", "", 0, NULL, false},
#define VLANE(n, OP, IN, B, R, IMM)                                                                \
    {#n, IMM == 1 ? LANE_ : LANES_, IN, T2("v128", #B), #R, "", IMM, NULL, false},
#define VLOAD(n, OP, M) PAIR(n, VLOAD_, 1, T1("u32"), "v128", #M, 2)
#define VLOADL(n, OP, M) PAIR(n, VLOADL_, 2, T2("u32", "v128"), "v128", #M, 3)
#define VSTOREL(n, OP, M) PAIR(n, VSTOREL_, 2, T2("u32", "v128"), "none", #M, 3)
#define ALOAD(n, OP, R, M) {#n, ALOAD_, 1, T1("u32"), #R, #M, 4, NULL, true},
#define ASTORE(n, OP, T, M) {#n, ASTORE_, 2, T2("u32", #T), "none", #M, 4, NULL, true},
#define ARMW(n, OP, T, M, HOW) {#n, ARMW_, 2, T2("u32", #T), #T, #M ", " #HOW, 4, NULL, true},
#define ACMPXCHG(n, OP, T, M) {#n, ACMPXCHG_, 3, {"u32", #T, #T}, #T, #M, 4, NULL, true},
#define SPECIAL(n, IN, T, R, IMM, TRAPS)                                                           \
    {#n, SPECIAL_, IN, {#T, #T, "u32"}, #R, "", IMM, NULL, TRAPS},
#define JUMP(n, IN, IMM, TRAPS) {#n, JUMP_, IN, T1("u32"), "none", "", IMM, NULL, TRAPS},
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
};
enum { PART_COUNT = sizeof parts / sizeof *parts };
_Static_assert(PART_COUNT <= PARTS_MAX, "raise PARTS_MAX");

/* ---- the tree */

struct node {
    uint32_t parent; /* 0: none; node 0 is not used */
    uint32_t part;
    char form[4];
    bool keep; /* the parent's result stays in its slot */
    bool generic;
    bool always;
    const char *family;
    int depth;
    char name[256];
};

static struct node nodes[NODES_MAX];
static int node_count = 1;
static const char *making = "";

/** A chain with pins in the place of slots: one digit for each slot, in their order; 0: none. */
struct pinned {
    uint32_t node;
    char pins[17];
};
static struct pinned *pinned;
static int pinned_count, pins, float_pins;
enum { INTEGER_PINS = 4 /* digits above are of floats */ };
static int one_in = 1; /* of the chains of two parts, with what follows from them */

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "fusion: %s: %s\n", what, name);
    exit(1);
}

static bool has_result(const struct part *p) { return strcmp(p->R, "none") != 0; }

static unsigned hash(const char *text)
{
    unsigned h = 5381;
    while (*text) h = h * 33 + (unsigned char)*text++;
    return h ^ h >> 16;
}

/* by parent, part, form, link */
static uint32_t buckets[1 << 21];

static uint32_t *bucket(uint32_t parent, uint32_t part, const char *form, bool keep)
{
    enum { MASK = sizeof buckets / sizeof *buckets - 1 };
    unsigned h = (parent * 2654435761u) ^ (part * 40503u) ^ (hash(form) * 97u) ^ keep;
    for (h ^= h >> 15;; h++) {
        const struct node *n = &nodes[buckets[h & MASK]];
        if (!buckets[h & MASK]) return &buckets[h & MASK];
        if (n->parent == parent && n->part == part && n->keep == keep && !strcmp(n->form, form))
            return &buckets[h & MASK];
    }
}

static uint32_t find(uint32_t parent, uint32_t part, const char *form, bool keep)
{
    return *bucket(parent, part, form, keep);
}

/** The node; 0 if it is one that a sample leaves out. */
static uint32_t add(uint32_t parent, uint32_t part, const char *form, bool keep, bool generic)
{
    uint32_t old = find(parent, part, form, keep);
    if (old) return old;
    if (node_count == NODES_MAX) fail("too many chains", parts[part].name);
    struct node *n = &nodes[node_count];
    *n = (struct node){
        .parent = parent, .part = part, .keep = keep, .generic = generic, .family = making};
    n->depth = parent ? nodes[parent].depth + 1 : 1;
    snprintf(n->form, sizeof n->form, "%s", form);
    const char *before = parent ? nodes[parent].name : "";
    const char *link = !parent ? "" : strchr(form, 't') ? (keep ? "_k__" : "__") : "_n__";
    int size = snprintf(n->name, sizeof n->name, "%s%s%s%s%s", before, link, parts[part].name,
                        *form ? "_" : "", form);
    if (size >= (int)sizeof n->name) fail("too long a chain", n->name);
    if (n->depth == 2 && !generic && hash(n->name) % (unsigned)one_in) return 0;
    *bucket(parent, part, n->form, keep) = (uint32_t)node_count;
    return (uint32_t)node_count++;
}

/* ---- rules' vocabulary */

/** Next word of a list, or false. */
static bool next_word(const char **list, char *word, size_t cap)
{
    while (**list == ' ') ++*list;
    size_t n = strcspn(*list, " ");
    if (n == 0) return false;
    if (n >= cap) fail("long word", *list);
    memcpy(word, *list, n);
    word[n] = 0;
    *list += n;
    return true;
}

static uint32_t part_named(const char *name)
{
    for (int i = 0; i < PART_COUNT; i++)
        if (!strcmp(parts[i].name, name)) return (uint32_t)i;
    fail("no such part", name);
    return 0;
}

static void put(struct set *s, uint32_t node)
{
    if (!node) return;
    s->nodes = realloc(s->nodes, ((size_t)s->count + 1) * sizeof *s->nodes);
    if (!s->nodes) fail("memory", "");
    s->nodes[s->count++] = node;
}

/** A v128 is no 64-bit slot. */
static bool is_vector(const char *type) { return !strcmp(type, "v128"); }

static bool is_memory(const struct part *p) { return p->kind >= LOAD_ && p->kind <= VSTORELX_; }

static bool is_atomic(const struct part *p) { return p->kind >= ALOAD_ && p->kind <= ACMPXCHG_; }

/** With an explicit check: the address is one of 64 bits. */
static bool is_checked(const struct part *p)
{
    return is_atomic(p) || (is_memory(p) && (p->kind - LOAD_) % 2);
}

/** True when the form has as many inputs as the part and the result of `from` is what its t wants.
 */
static bool fits(const struct part *from, const struct part *p, const char *form)
{
    const char *t = strchr(form, 't');
    if ((int)strlen(form) != p->inputs) return false;
    if (!t) return true;
    const char *want = p->in[t - form];
    if (!strcmp(from->R, want)) return true;
    if (p->kind == SPECIAL_ && !strcmp(want, "u64")) return has_result(from) && !is_vector(from->R);
    return from->kind == SPECIAL_ && !strcmp(from->R, "u64") && !strcmp(want, "u32"); /* moved */
}

/** One part in one form behind `parent`, or alone. */
static void put_part(struct set *out, uint32_t parent, uint32_t part, const char *form,
                     enum link link)
{
    const struct part *before = &parts[nodes[parent].part];
    if (!fits(before, &parts[part], form)) return;
    if (!strchr(form, 't')) {
        put(out, add(parent, part, form, parent && has_result(before), false));
        return;
    }
    if (link & DROP) put(out, add(parent, part, form, false, false));
    if (link & KEEP) put(out, add(parent, part, form, true, false));
}

/** Each part with each form that fits behind `parent`, or alone. */
static void each(struct set *out, uint32_t parent, const char *names, const char *forms,
                 enum link link)
{
    char name[64], form[8];
    while (next_word(&names, name, sizeof name)) {
        uint32_t part = part_named(name);
        const char *list = forms;
        if (!parts[part].inputs) put_part(out, parent, part, "", link);
        while (next_word(&list, form, sizeof form)) put_part(out, parent, part, form, link);
    }
}

struct set start(const char *names, const char *forms)
{
    struct set out = {0};
    each(&out, 0, names, forms, DROP);
    return out;
}

struct set extend(struct set from, const char *names, const char *forms, enum link link)
{
    struct set out = {0};
    for (int i = 0; i < from.count; i++) each(&out, from.nodes[i], names, forms, link);
    return out;
}

struct set join(struct set a, struct set b)
{
    struct set out = {0};
    for (int i = 0; i < a.count; i++) put(&out, a.nodes[i]);
    for (int i = 0; i < b.count; i++) put(&out, b.nodes[i]);
    return out;
}

void family(const char *name) { making = name; }

void always(struct set s)
{
    for (int i = 0; i < s.count; i++) nodes[s.nodes[i]].always = true;
}

/* ---- what every backend has: each part with slots and, on the right, constants */

static bool takes_constant(const struct part *p)
{
    return p->inputs == 2 && p->in[1][0] == 'u' && p->kind != SPECIAL_;
}

/** Of f32 and f64 by its types, of integers by its inverse. */
static bool is_comparison(const struct part *p) { return p->inverse || p->in[0][0] == 'f'; }

static void generic(void)
{
    static const char *const slots[] = {"", "s", "ss", "sss"};
    for (uint32_t i = 0; i < PART_COUNT; i++) {
        bool constant = !strcmp(parts[i].name, "const32");
        add(0, i, constant ? "c" : slots[parts[i].inputs], false, true);
        if (takes_constant(&parts[i])) add(0, i, "sc", false, true);
        if (!strcmp(parts[i].name, "ret_value")) add(0, i, "c", false, true);
    }
    /* comparison and branch; kept out of the loop above to stand behind their parents */
    for (int i = 1, n = node_count; i < n; i++) {
        const struct part *p = &parts[nodes[i].part];
        if (p->kind != BIN_ || strcmp(p->R, "u32") || !is_comparison(p)) continue;
        add((uint32_t)i, part_named("br_if"), "t", false, true);
        if (!p->inverse) add((uint32_t)i, part_named("br_unless"), "t", false, true);
    }
}

/* ---- chains by name */

/** One part with its form, "i32_add_sc", behind `parent`; 0: there is no such, or it is left out.
 */
static uint32_t add_token(uint32_t parent, const char *token, bool keep)
{
    char name[64], form[4] = "";
    snprintf(name, sizeof name, "%s", token);
    for (int i = 0; i < PART_COUNT; i++) {
        const struct part *p = &parts[i];
        size_t size = strlen(p->name);
        if (strncmp(name, p->name, size)) continue;
        const char *rest = name + size;
        if (p->inputs ? *rest != '_' || strlen(rest + 1) != (size_t)p->inputs : *rest) continue;
        if (p->inputs) snprintf(form, sizeof form, "%s", rest + 1);
        if (strspn(form, parent ? "scta" : "sca") != (size_t)p->inputs) return 0;
        const struct part *before = &parts[nodes[parent].part];
        if (parent && !fits(before, p, form)) return 0;
        if (parent && !strchr(form, 't')) keep = has_result(before);
        uint32_t node = add(parent, (uint32_t)i, form, keep, false);
        char *late = parent ? strchr(form, 'a') : NULL;
        if (late) { /* beside it, for what else may stand before, the one with a slot */
            *late = 's';
            add(parent, (uint32_t)i, form, keep, false);
        }
        return node;
    }
    return 0;
}

static void add_pinned(uint32_t node, const char *digits)
{
    struct pinned *p = realloc(pinned, ((size_t)pinned_count + 1) * sizeof *p);
    if (!p || strlen(digits) >= sizeof p->pins) fail("pins", digits);
    pinned = p;
    pinned[pinned_count] = (struct pinned){.node = node};
    snprintf(pinned[pinned_count++].pins, sizeof p->pins, "%s", digits);
}

/* ---- forms with pins for tests, where no list asks for them */

enum { SLOTS_MAX = 16 };

/** What a slot holds that pins can: 'u' an integer, 'f' an f64; 0: none of them. */
static char pinnable(const char *type)
{
    return (char)(type[0] == 'u' ? 'u' : !strcmp(type, "f64") ? 'f' : 0);
}

/** The slots of a chain but the last result's, by what they hold. */
static int slots_of(uint32_t id, char *types)
{
    const struct node *n = &nodes[id];
    const struct part *p = &parts[n->part];
    int count = n->parent ? slots_of(n->parent, types) : 0;
    const char *found[4];
    int more = 0;
    if (n->parent && n->keep) found[more++] = parts[nodes[n->parent].part].R;
    for (int i = 0; i < p->inputs; i++)
        if (n->form[i] == 's') found[more++] = p->in[i];
    for (int i = 0; i < more && count < SLOTS_MAX; i++, count++) types[count] = pinnable(found[i]);
    return count;
}

/** A pin for a slot of that type, '0': there is none. */
static char some_pin(char type, unsigned which)
{
    if (type == 'u' && pins) return (char)('1' + which % (unsigned)pins);
    if (type == 'f' && float_pins) return (char)('1' + INTEGER_PINS + which % (unsigned)float_pins);
    return '0';
}

static void add_digits(uint32_t id, char *digits, int count)
{
    while (count && digits[count - 1] == '0') count--;
    digits[count] = 0;
    for (int i = pinned_count; i-- > 0 && pinned[i].node == id;)
        if (!strcmp(pinned[i].pins, digits)) return;
    if (count) add_pinned(id, digits);
}

/**
 * Of one part: one with the first slot, one with the result. Of all in `wanted`: one with every
 * other slot, from the result's or the one before on; always the same pin in the same place, so
 * that those that it grows from have it.
 */
static void add_some_forms(uint32_t id, bool wanted)
{
    char types[SLOTS_MAX], digits[SLOTS_MAX + 1];
    const struct part *p = &parts[nodes[id].part];
    int count = slots_of(id, types);
    if (has_result(p) && count < SLOTS_MAX) types[count++] = pinnable(p->R);
    for (int skip = 0; skip < count && nodes[id].depth == 1; skip += count > 1 ? count - 1 : 1) {
        memset(digits, '0', (size_t)count);
        digits[skip] = some_pin(types[skip], hash(nodes[id].name));
        add_digits(id, digits, count);
    }
    for (int first = 0; first < 2 && wanted; first++) {
        memset(digits, '0', (size_t)count);
        for (int i = first; i < count; i += 2) digits[i] = some_pin(types[i], (unsigned)i / 2);
        add_digits(id, digits, count);
    }
}

/** Forms of every part and of one in eight chains, with those that they grow from. */
static void add_some_pins(void)
{
    static bool wanted[NODES_MAX];
    for (uint32_t id = (uint32_t)node_count - 1; id > 0; id--) {
        wanted[id] |= nodes[id].depth == 1 || hash(nodes[id].name) % 8 == 0;
        if (wanted[id]) wanted[nodes[id].parent] = true;
    }
    for (uint32_t id = 1; id < (uint32_t)node_count; id++) add_some_forms(id, wanted[id]);
}

/* ---- names with pins */

/** Cuts the pins off a name; NULL: it has none. */
static const char *cut_pins(char *name)
{
    char *at = strrchr(name, '_');
    if (!at || at[1] != 'p' || !at[2] || strspn(at + 2, "0123456") != strlen(at + 2)) return NULL;
    *at = 0;
    return at + 2;
}

/** The chain of that name and those that it is made from. */
static void add_named(const char *chain)
{
    char text[256], *token = text;
    uint32_t parent = 0;
    bool keep = false;
    snprintf(text, sizeof text, "%s", chain);
    const char *digits = cut_pins(text);
    while (token) {
        char *next = strstr(token, "__");
        bool kept = false;
        if (next) {
            *next = 0;
            if (next - token > 2 && !strcmp(next - 2, "_k")) kept = true;
            if (kept || (next - token > 2 && !strcmp(next - 2, "_n"))) next[-2] = 0;
            next += 2;
        }
        parent = add_token(parent, token, keep);
        if (!parent) return;
        keep = kept;
        token = next;
    }
    if (digits) add_pinned(parent, digits);
}

/** The chains named in a file, a name in each line. */
static void add_listed(const char *path)
{
    char line[256];
    FILE *file = fopen(path, "r");
    if (!file) fail("can't read", path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (*line != '#')
            add_named(line);
        else
            sscanf(line, "# pins %d %d", &pins, &float_pins);
    }
    fclose(file);
}

/* ---- output */

/** What is written of an instruction so far. */
struct writing {
    FILE *out;
    int at;           /* the next operand half */
    int places;       /* parts that may trap */
    const char *pins; /* of the slots that are still to come */
};

/** The next slot's pin, 0: it has none. */
static int next_pin(struct writing *w) { return *w->pins ? *w->pins++ - '0' : 0; }

/** A result into its slot, and its pin. */
static void write_put(struct writing *w, const struct part *p, int k)
{
    int pin = next_pin(w);
    if (pin && !pinnable(p->R)) fail("no pins hold results of", p->name);
    fprintf(w->out, " PUT_(%s, t%d, %d)", p->R, k, w->at++);
    if (pin) fprintf(w->out, " PIN_(%d, %s, t%d)", pin, pin > INTEGER_PINS ? "f64" : "u64", k);
}

/** One part's steps. */
static void write_part(struct writing *w, const struct node *n)
{
    FILE *out = w->out;
    static const char *const macros[] = {
        "UN_",     "UNT_",     "BIN_",      "BINT_",   "TER_",    "LANE_",    "LANES_",
        "LOAD_",   "LOADX_",   "VLOAD_",    "VLOADX_", "VLOADL_", "VLOADLX_", "STORE_",
        "STOREX_", "VSTOREL_", "VSTORELX_", "ALOAD_",  "ASTORE_", "ARMW_",    "ACMPXCHG_"};
    const struct part *p = &parts[n->part];
    const char *type = has_result(p) ? p->R : p->in[1];
    if (p->kind == SPECIAL_ || p->kind == JUMP_)
        fprintf(out, " DO_%s(%d", p->name, n->depth);
    else if (p->kind == LOAD_ || p->kind == LOADX_ || p->kind == STORE_ || p->kind == STOREX_ ||
             is_atomic(p))
        fprintf(out, " %s(%d, %s, %s", macros[p->kind], n->depth, type, p->M);
    else if (p->kind == LANE_ && p->inputs == 1 && n->form[0] == 's') /* of a slot: a short load */
        fprintf(out, " LANEAT_(%d, %s, %s", n->depth, p->name, p->R);
    else if (is_memory(p))
        fprintf(out, " %s(%d, %.*s, %s", macros[p->kind], n->depth,
                (int)strlen(p->name) - (is_checked(p) ? 2 : 0), p->name, p->M);
    else
        fprintf(out, " %s(%d, %s, %s", macros[p->kind], n->depth, p->name, p->R);
    for (int i = 0; i < p->inputs; i++) {
        const char *wants = i == 0 && is_checked(p) ? "u64" : p->in[i];
        int pin = n->form[i] == 's' ? next_pin(w) : 0;
        switch (n->form[i]) {
        case 's':
            if (pin)
                fprintf(out, ", P_(%s, %d)", wants, pin);
            else
                fprintf(out, ", S_(%s, %d)", wants, w->at);
            w->at++;
            break;
        case 'c':
            fprintf(out, ", K_(%s, %d)", wants, w->at);
            w->at += strcmp(wants, "f64") ? 2 : 4;
            break;
        case 't': fprintf(out, ", V_(%s, t%d)", wants, n->depth - 1); break;
        case 'a': fprintf(out, ", ACC_%s", wants); break;
        default: fail("form", n->name);
        }
    }
    if (p->kind == LANE_ || p->kind == LANES_)
        fprintf(out, ", %s_(%d)", p->kind == LANE_ ? "L" : "LL", w->at);
    else if (p->imm)
        fprintf(out, ", %d", w->at);
    w->at += p->imm;
    if (p->kind == JUMP_) { /* the address is a word */
        w->at = (w->at + 3) & ~3;
        fprintf(out, ", %d", w->at);
        w->at += 4;
    }
    if (p->traps) fprintf(out, ", %d", w->places++);
    fputc(')', out);
}

static void write_body(struct writing *w, uint32_t id)
{
    const struct node *n = &nodes[id];
    if (n->parent) {
        write_body(w, n->parent);
        if (n->keep) write_put(w, &parts[nodes[n->parent].part], n->depth - 1);
    }
    write_part(w, n);
}

static bool has_type(const struct part *p, char type)
{
    for (int i = 0; i < p->inputs; i++)
        if (p->in[i][0] == type) return true;
    return p->R[0] == type;
}

/**
 * VECTORS and LEVELS where x86-64-v3 has something for the chain: vectors, and floats of three
 * operands, shifts of a count in any register, counts of zeros. All others, ALIKE, are the same
 * instructions there.
 */
static const char *level(const struct node *n)
{
    static const char *const counts[] = {"_shl", "_shr", "_rot", "_clz", "_ctz", "_popcnt"};
    const struct part *p = &parts[n->part];
    const char *before = n->parent ? level(&nodes[n->parent]) : "ALIKE";
    if (has_type(p, 'v') || !strcmp(before, "VECTORS")) return "VECTORS";
    if (has_type(p, 'f')) return "LEVELS";
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (strstr(p->name, counts[i])) return "LEVELS";
    return before;
}

/** The row of a chain; `digits`: its pins, NULL: it is one without. */
static void write_chain(FILE *out, uint32_t id, const char *digits)
{
    const struct node *n = &nodes[id];
    const struct part *p = &parts[n->part];
    char *body = NULL;
    size_t size;
    struct writing w = {.out = open_memstream(&body, &size), .pins = digits ? digits : ""};
    if (!w.out) fail("memory", n->name);
    write_body(&w, id);
    if (has_result(p)) write_put(&w, p, n->depth);
    fclose(w.out);
    if (*w.pins) fail("more pins than slots", n->name);
    fprintf(out, "%s(%s%s%s, %d, %s,%s)\n",
            digits       ? "PINNED"
            : n->generic ? "GENERIC"
                         : "CHAIN",
            n->name, digits ? "_p" : "", digits ? digits : "", 1 + (w.at + 3) / 4, level(n), body);
    free(body);
}

/** A form as a number (isa/ir.h): two bits per input, then the keep bit. */
static unsigned form_number(const struct node *n)
{
    static const char letters[] = "scta";
    unsigned form = n->keep ? 0x40 : 0;
    for (int i = 0; n->form[i]; i++)
        form |= (unsigned)(strchr(letters, n->form[i]) - letters) << 2 * i;
    return form;
}

/** By parent, part, form. */
static int compare(const void *a, const void *b)
{
    const struct node *x = &nodes[*(const uint32_t *)a], *y = &nodes[*(const uint32_t *)b];
    if (x->parent != y->parent) return x->parent < y->parent ? -1 : 1;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return form_number(x) < form_number(y) ? -1 : 1;
}

static int by_node(const void *a, const void *b)
{
    const struct pinned *x = a, *y = b;
    return x->node != y->node ? (x->node < y->node ? -1 : 1) : strcmp(x->pins, y->pins);
}

/** Digits as a number, the first slot's lowest (isa/ir.h). */
static unsigned long long pins_number(const char *digits)
{
    unsigned long long number = 0;
    for (int i = 0; digits[i]; i++) number |= (unsigned long long)(digits[i] - '0') << 4 * i;
    return number;
}

/** PINS(op, of, pins), in the order of their ops; PINS_OF(of, begin) as EDGES_OF. */
static void write_pins(FILE *out)
{
    int at = 0;
    for (int i = 0; i < pinned_count; i++) {
        const struct node *n = &nodes[pinned[i].node];
        fprintf(out, "PINS(VM_IR_%s_p%s, VM_IR_%s, 0x%llx)\n", n->name, pinned[i].pins, n->name,
                pins_number(pinned[i].pins));
    }
    for (int id = 1; id < node_count; id++) {
        fprintf(out, "PINS_OF(VM_IR_%s, %d)\n", nodes[id].name, at);
        while (at < pinned_count && pinned[at].node == (uint32_t)id) at++;
    }
    fprintf(out, "PINS_OF(VM_IR_FIRST_PINNED, %d)\n", at);
}

/**
 * STEP(op, parent, part, form) by parent, part and form. Where they begin: FIRST_OF(part, inputs,
 * begin) for chains of one part, then EDGES_OF(from, begin, mask) for others, where bit p % 16 of
 * the mask is set if there is one of part p. Each of these two in the order of its first column,
 * with a row more, so that they end where the next begin.
 */
static void write_edges(FILE *out)
{
    static uint32_t order[NODES_MAX];
    int count = 0;
    for (int i = 1; i < node_count; i++) order[count++] = (uint32_t)i;
    qsort(order, (size_t)count, sizeof *order, compare);
    for (int i = 0; i < count; i++) {
        const struct node *n = &nodes[order[i]];
        fprintf(out, "STEP(VM_IR_%s, %s%s, VM_PART_%s, 0x%02x)\n", n->name,
                n->parent ? "VM_IR_" : "NO_PARENT", n->parent ? nodes[n->parent].name : "",
                parts[n->part].name, form_number(n));
    }
    int at = 0;
    for (uint32_t part = 0; part < PART_COUNT; part++) {
        fprintf(out, "FIRST_OF(VM_PART_%s, %d, %d)\n", parts[part].name, parts[part].inputs, at);
        while (at < count && !nodes[order[at]].parent && nodes[order[at]].part == part) at++;
    }
    fprintf(out, "FIRST_OF(VM_PART_COUNT, 0, %d)\n", at);
    for (int from = 1; from < node_count; from++) {
        uint32_t mask = 0;
        int begin = at;
        for (; at < count && nodes[order[at]].parent == (uint32_t)from; at++)
            mask |= (uint32_t)1 << nodes[order[at]].part % 16;
        fprintf(out, "EDGES_OF(VM_IR_%s, %d, 0x%x)\n", nodes[from].name, begin, mask);
    }
    fprintf(out, "EDGES_OF(VM_IR_FIRST_PINNED, %d, 0)\n", at);
}

#define WRITTEN "/* Written by vm/isa/gen/fusion.c; do not edit. */\n"

static FILE *create(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    if (!file) fail("can't write", path);
    return file;
}

int main(int argc, char **argv)
{
    if (argc < 4) fail("usage", "fusion DIRECTORY all|none|N LIST|- (N: one in N of the chains)");
    generic();
    bool all = !strcmp(argv[2], "all");
    one_in = all ? 1 : atoi(argv[2]);
    if (one_in < 1 && strcmp(argv[2], "none")) fail("all, none or a number, not", argv[2]);
    bool listed = strcmp(argv[3], "-") != 0;
    if (one_in > 0 && listed) add_listed(argv[3]);
    if (one_in > 0 && !listed) families();
    if (argc == 6) {
        pins = atoi(argv[4]);
        float_pins = atoi(argv[5]);
        add_some_pins();
    }
    FILE *chains = create(argv[1], "chains.def"), *edges = create(argv[1], "edges.def");
    fputs(WRITTEN, chains);
    fputs(WRITTEN, edges);
    if (pins < 0 || pins > INTEGER_PINS || pins == 3 || float_pins < 0 || float_pins > 2)
        fail("pins", "0, 1, 2 or 4 of integers, at most 2 of floats");
    qsort(pinned, (size_t)pinned_count, sizeof *pinned, by_node);
    for (int i = 1; i < node_count; i++) write_chain(chains, (uint32_t)i, NULL);
    for (int i = 0; i < pinned_count; i++) write_chain(chains, pinned[i].node, pinned[i].pins);
    write_edges(edges);
    write_pins(edges);
    FILE *number = create(argv[1], "pins.def");
    fprintf(number, WRITTEN "#define VM_PINS %d\n#define VM_FLOAT_PINS %d\n", pins, float_pins);
    fclose(number);
    if (listed) return fclose(chains) | fclose(edges);
    FILE *exempt = create(argv[1], "always.list"), *named = create(argv[1], "families.list");
    for (int i = 1; i < node_count; i++)
        if (nodes[i].always) fprintf(exempt, "%s\n", nodes[i].name);
    for (int i = 1; i < node_count; i++)
        if (!nodes[i].generic) fprintf(named, "%s %s\n", nodes[i].name, nodes[i].family);
    return fclose(chains) | fclose(edges) | fclose(exempt) | fclose(named);
}
