#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds to a list of chains those forms of them with pins that save most: pins.py INTEGERS FLOATS FORMS LESS LIST
WEIGHTS <CENSUS. CENSUS is what `chain_growth --pins` prints, WEIGHTS what it prints with --weigh: so many chains
that save least (LESS) are left out, vectors excepted. The list with its head goes to stdout.

A slot that is taken from its pin saves one; a result that has no form which writes to its pin costs an instruction
more, so a write counts four times; and since programs that are not in the census write other results to their pins,
a tenth of all results counts as written to one (less within a chain). What writes, writes in each chain that it
grows from, or translation does not get there."""
import collections
import re
import sys

WRITE, LAST, WITHIN = 4, 0.1, 0.03
LINK = re.compile(r"(.+?)(_k__|_n__|__)(?=[a-z])")
PART = re.compile(r"(.*)_([scta]{1,3})$")
NO_RESULT = re.compile(r"\w*store|br|ret|call|enter|carry|pin|global_set")
FLOAT = re.compile(r"f64_(?!(eq|ne|lt|gt|le|ge)_)")
NO_PIN = re.compile(r"f32_(?!(eq|ne|lt|gt|le|ge)_)")
VECTOR = re.compile(r"[a-z]128|\dx\d|permute")
FIRST_FLOAT = 5  # numbers of pins are those of isa/ir.h

Slot = collections.namedtuple("Slot", "part written")


def parts_of(chain):
    """[(part, the link behind it)]."""
    parts = []
    while match := LINK.match(chain):
        parts.append(match.groups())
        chain = chain[match.end():]
    return [*parts, (chain, "")]


def slots_of(parts):
    for i, (part, link) in enumerate(parts):
        name, form = (PART.match(part) or re.match("(.*)()$", part)).groups()
        yield from (Slot(i, False) for source in form if source == "s")
        if not NO_RESULT.match(name) and link != "__":
            yield Slot(i, True)


def grows_from(name):
    """The form itself, and the forms of the chains that it grows from that write the same."""
    chain, pins = name.rsplit("_p", 1)
    parts = parts_of(chain)
    slots = list(slots_of(parts))[:len(pins)]
    yield name
    for end in range(1, len(parts)):
        kept = "".join(pin if slot.written else "0" for slot, pin in zip(slots, pins) if slot.part < end).rstrip("0")
        if kept:
            begin = "".join(part + (link if i + 1 < end else "") for i, (part, link) in enumerate(parts[:end]))
            yield f"{begin}_p{kept}"


def expected_writes(chain, weight, integers, floats):
    """(form, weight) of results that any program may write to pins."""
    parts = parts_of(chain)
    slots = list(slots_of(parts))
    for place, slot in enumerate(slots):
        part = parts[slot.part][0]
        if not slot.written or VECTOR.search(chain) or NO_PIN.match(part):
            continue
        first, count = (FIRST_FLOAT, floats) if FLOAT.match(part) else (1, integers)
        share = LAST if slot.part + 1 == len(parts) else WITHIN
        for pin in range(first, first + count):
            yield f"{chain}_p{'0' * place}{pin}", weight * share / count * WRITE


def ranked(census, integers, floats):
    weights = collections.Counter()
    for line in census:
        weight, slots, name = line.split()
        if slots == "0":
            for form, share in expected_writes(name, float(weight), integers, floats):
                weights[form] += share
            continue
        chain, pins = name.rsplit("_p", 1)
        for slot, pin in zip(slots_of(parts_of(chain)), pins):
            weights[name] += float(weight) * (pin != "0") * (WRITE if slot.written else 1)
    return [name for name, _ in weights.most_common()]


def least(chains, count, weights, needed):
    """So many chains that save little, and that no form needs."""
    saved = {name: float(weight) for weight, name in (line.split() for line in weights)}
    kept = {form.rsplit("_p", 1)[0] for form in needed}
    spare = [chain for chain in chains if chain not in kept and not VECTOR.search(chain)]
    return set(sorted(spare, key=lambda chain: (saved.get(chain, 0), -len(chain)))[:count])


def main():
    integers, floats, count, less = map(int, sys.argv[1:5])
    with open(sys.argv[5], encoding="utf-8") as file:
        chains = [line for line in file.read().splitlines() if line and line[0] != "#"]
    forms = set()
    for name in ranked(sys.stdin, integers, floats):
        if len(forms) >= count:
            break
        forms.update(grows_from(name))
    with open(sys.argv[6], encoding="utf-8") as file:
        chains = set(chains) - least(chains, less, file, forms)
    # functions that have pins load them when they are entered
    chains.update(f"enter{blocks}_n__pin" for blocks in ("", 1, 2, 3, 4))
    print(f"# pins {integers} {floats}", *sorted(chains | forms), sep="\n")


if __name__ == "__main__":
    main()
