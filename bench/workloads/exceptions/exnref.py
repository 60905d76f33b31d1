#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""exnref.py IN OUT: a module with the legacy exceptions of clang-19 as one with the standard's.

    try B catch t C catch_all D end    becomes

    block                           the legacy block's label and results
      block (result exnref)         one for each handler, the first handler's innermost
        block (result t… exnref)
          try_table (catch_ref t 0) (catch_all_ref 1) B end
          br 2
        end
        local.set e, C, br 1
      end
      local.set e, D
    end

and rethrow becomes throw_ref of the handler's e; a handler without rethrow takes no exnref. Only
instructions that the workloads have are known: all others are an error. Blocks of clang have no
parameters, and what a delegate skips is no try block.
"""
import sys

VOID, I32, EXNREF = 0x40, 0x7f, 0x69
BLOCK, LOOP, IF, ELSE, TRY, CATCH, THROW, RETHROW, THROW_REF = 2, 3, 4, 5, 6, 7, 8, 9, 10
END, BR, BR_IF, BR_TABLE, DELEGATE, CATCH_ALL, TRY_TABLE = 0x0b, 0x0c, 0x0d, 0x0e, 0x18, 0x19, 0x1f
LOCAL_GET, LOCAL_SET = 0x20, 0x21


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def leb(self):
        """Unsigned; of signed ones only the length is of use."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    def take(self, count):
        self.at += count
        return self.data[self.at - count:self.at]

    def vector(self, read):
        return [read() for _ in range(self.leb())]


def leb(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def vector(items):
    return leb(len(items)) + b"".join(items)


def sized(data):
    return leb(len(data)) + data


class Module:
    def __init__(self, data):
        reader = Reader(data, 8)
        self.sections = []
        while reader.at < len(data):
            kind = reader.byte()
            self.sections.append((kind, reader.take(reader.leb())))
        self.types = self.read(1, self.read_type)
        self.tags = self.read(13, lambda reader: (reader.leb(), reader.leb())[1])
        self.functions = self.read(3, Reader.leb)

    def read(self, kind, item):
        for found, data in self.sections:
            if found == kind:
                reader = Reader(data)
                return reader.vector(lambda: item(reader))
        return []

    @staticmethod
    def read_type(reader):
        if reader.byte() != 0x60:
            raise ValueError("a type that is no function's")
        return bytes(reader.vector(reader.byte)), bytes(reader.vector(reader.byte))

    def type_of_results(self, results):
        """What stands behind `block`."""
        if len(results) < 2:
            return bytes(results) or bytes([VOID])
        wanted = (b"", bytes(results))
        if wanted not in self.types:
            self.types.append(wanted)
        index = self.types.index(wanted)
        return bytes([index]) if index < 64 else bytes([index & 0x7f | 0x80, index >> 7])

    def write(self):
        code = [sized(Body(self, data, self.types[kind]).out()) for data, kind in
                zip(self.read(10, lambda reader: reader.take(reader.leb())), self.functions)]
        types = [b"\x60" + sized(params) + sized(results) for params, results in self.types]
        new = {1: vector(types), 10: vector(code)}
        return b"\0asm\1\0\0\0" + b"".join(bytes([kind]) + sized(new.get(kind, data))
                                           for kind, data in self.sections)


class Try:
    """A legacy try block: its parts are found first, since the handlers' types stand before it."""

    def __init__(self, at, kind):
        self.at, self.kind = at, kind
        self.handlers = []  # (tag or None, is rethrown)
        self.local = None
        self.is_delegate = False


class Body:
    def __init__(self, module, data, kind):
        self.module, self.reader = module, Reader(data)
        self.locals = self.reader.vector(lambda: (self.reader.leb(), self.reader.byte()))
        self.next_local = len(kind[0]) + sum(count for count, _ in self.locals)
        self.start = self.reader.at
        self.tries = self.find_tries()

    # ------------------------------------------------------------ instructions

    def instructions(self):
        """(start, code, immediates: the labels of a branch, a tag, a type) to the end."""
        reader = self.reader
        reader.at = self.start
        while reader.at < len(reader.data):
            start, code, value = reader.at, reader.byte(), None
            if code in (BLOCK, LOOP, IF, TRY):
                value = reader.byte()
                if value not in (VOID, 0x7f, 0x7e, 0x7d, 0x7c):
                    raise ValueError(f"a block of type {value}")
            elif code in (BR, BR_IF, DELEGATE, RETHROW, CATCH):
                value = reader.leb()
            elif code == BR_TABLE:
                value = reader.vector(reader.leb) + [reader.leb()]
            else:
                self.skip(code)
            yield start, code, value

    def skip(self, code):
        reader = self.reader
        if code == THROW or code == 0x10 or 0x20 <= code <= 0x26 or code in (0x41, 0x42, 0x3f, 0x40):
            reader.leb()
        elif code == 0x11 or 0x28 <= code <= 0x3e:  # call_indirect, loads and stores
            reader.leb(), reader.leb()
        elif code in (0x43, 0x44):
            reader.take(4 if code == 0x43 else 8)
        elif code == 0xfc:
            for _ in range({8: 2, 10: 2, 11: 1}.get(reader.leb(), 0)):
                reader.leb()
        elif code not in (0, 1, ELSE, END, 0x0f, CATCH_ALL, 0x1a, 0x1b) and not 0x45 <= code <= 0xc4:
            raise ValueError(f"instruction {code:#x}")

    def find_tries(self):
        tries, stack = {}, []
        for start, code, value in self.instructions():
            if code in (BLOCK, LOOP, IF, TRY):
                stack.append(Try(start, value) if code == TRY else None)
                if code == TRY:
                    tries[start] = stack[-1]
            elif code in (CATCH, CATCH_ALL):
                stack[-1].handlers.append([value, False])
            elif code == RETHROW:
                stack[-1 - value].handlers[-1][1] = True
            elif code == DELEGATE:
                skipped = stack[len(stack) - 1 - value:-1] if value else []
                if any(skipped):
                    raise ValueError("a delegate over a try block")
                stack.pop().is_delegate = True
            elif code == END and stack:
                stack.pop()
        for block in tries.values():
            if block.is_delegate:
                block.handlers = [[None, True]]
            if any(is_rethrown for _, is_rethrown in block.handlers):
                block.local = self.next_local
                self.next_local += 1
        return tries

    # ------------------------------------------------------------ output

    def out(self):
        code = self.translate()
        count = sum(block.local is not None for block in self.tries.values())
        groups = self.locals + ([(count, EXNREF)] if count else [])
        return vector([leb(number) + bytes([kind]) for number, kind in groups]) + code

    def translate(self):
        out = bytearray()
        labels = []  # new labels, innermost last: a legacy block (Try or code) or None for one added

        def new_depth(depth):
            old = [at for at, label in enumerate(labels) if label is not None]
            place = old[-1 - depth] if depth < len(old) else -1
            return leb(len(labels) - 1 - place)

        for start, code, value in self.instructions():
            raw = self.reader.data[start:self.reader.at]
            if code == TRY:
                out += self.open(self.tries[start], labels)
            elif code in (BLOCK, LOOP, IF):
                labels.append(code)
                out += raw
            elif code in (CATCH, CATCH_ALL, DELEGATE):
                out += self.handler(labels, code == DELEGATE)
            elif code == END:
                if labels:
                    out += self.close(labels)
                out += raw
            elif code in (BR, BR_IF):
                out += bytes([code]) + new_depth(value)
            elif code == BR_TABLE:
                out += bytes([code]) + leb(len(value) - 1) + b"".join(map(new_depth, value))
            elif code == RETHROW:
                block = [label for label in labels if label is not None][-1 - value]
                out += bytes([LOCAL_GET]) + leb(block.local) + bytes([THROW_REF])
            else:
                out += raw
        return bytes(out)

    def open(self, block, labels):
        """All blocks and the try_table; labels: the legacy block's, then those that are added."""
        out = bytes([BLOCK, block.kind])
        clauses = []
        for at, (tag, is_rethrown) in reversed(list(enumerate(block.handlers))):
            params = b"" if tag is None else self.module.types[self.module.tags[tag]][0]
            kind = self.module.type_of_results(params + bytes([EXNREF] * is_rethrown))
            out += bytes([BLOCK]) + kind
            form = (0 if tag is not None else 2) + is_rethrown
            clauses.insert(0, bytes([form]) + (leb(tag) if tag is not None else b"") + leb(at))
        labels.append(block)
        labels += [None] * (len(block.handlers) + 1)
        block.left = list(block.handlers)
        return out + bytes([TRY_TABLE, block.kind]) + vector(clauses)

    def handler(self, labels, is_delegate):
        """The end of what is before a handler, and the handler's own begin."""
        at = max(index for index, label in enumerate(labels) if label is not None)
        block, out = labels[at], b""
        if len(block.left) == len(block.handlers):
            out = bytes([END])  # of the try_table
            labels.pop()
        _, is_rethrown = block.left.pop(0)
        out += bytes([BR]) + leb(len(labels) - 1 - at) + bytes([END])
        labels.pop()
        if is_rethrown:
            out += bytes([LOCAL_SET]) + leb(block.local)
        if is_delegate:
            labels.pop()
            out += bytes([LOCAL_GET]) + leb(block.local) + bytes([THROW_REF, END])
        return out

    @staticmethod
    def close(labels):
        """What is open but the legacy block itself: the try_table when there is no handler."""
        out = b""
        while labels[-1] is None:
            labels.pop()
            out += bytes([END])
        labels.pop()
        return out


def main():
    with open(sys.argv[1], "rb") as file:
        new = Module(file.read()).write()
    with open(sys.argv[2], "wb") as file:
        file.write(new)


main()
