# SPDX-License-Identifier: Apache-2.0
"""Builds small WebAssembly modules byte by byte, for tests that need no compiler."""

I32, I64, F32, F64, V128 = 0x7F, 0x7E, 0x7D, 0x7C, 0x7B
FUNCREF, EXTERNREF = 0x70, 0x6F
MAGIC = b"\0asm\x01\0\0\0"


def uleb(value):
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if not value:
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def sleb(value):
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def name(text):
    raw = text.encode() if isinstance(text, str) else text
    return uleb(len(raw)) + raw


def vec(items):
    return uleb(len(items)) + b"".join(items)


def section(number, payload):
    return bytes([number]) + uleb(len(payload)) + payload


def i32(value):
    return b"\x41" + sleb(value)


def i64(value):
    return b"\x42" + sleb(value)


def call(index):
    return b"\x10" + uleb(index)


def local_get(index):
    return b"\x20" + uleb(index)


UNREACHABLE, DROP, END, RETURN = b"\x00", b"\x1a", b"\x0b", b"\x0f"
LOAD32, STORE32 = b"\x28\x02\x00", b"\x36\x02\x00"
LOOP_FOREVER = b"\x03\x40\x0c\x00\x0b"  # loop br 0 end


class Module:
    """imports first, then functions; indices are those of the function index space."""

    def __init__(self):
        self.types, self.imports, self.funcs, self.codes = [], [], [], []
        self.exports, self.datas, self.globals, self.names = [], [], [], {}
        self.memory = self.start = None

    def type(self, params, results):
        entry = b"\x60" + vec([bytes([p]) for p in params]) + vec([bytes([r]) for r in results])
        if entry not in self.types:
            self.types.append(entry)
        return self.types.index(entry)

    def imp(self, module, field, params=(), results=()):
        assert not self.funcs
        index = self.type(params, results)
        self.imports.append(name(module) + name(field) + b"\x00" + uleb(index))
        return len(self.imports) - 1

    def func(self, body, params=(), results=(), locals_=(), export=None, label=None):
        self.funcs.append(uleb(self.type(params, results)))
        groups = vec([b"\x01" + bytes([kind]) for kind in locals_])
        code = groups + body + END
        self.codes.append(uleb(len(code)) + code)
        index = len(self.imports) + len(self.funcs) - 1
        if export:
            self.exports.append(name(export) + b"\x00" + uleb(index))
        if label:
            self.names[index] = label
        return index

    def mem(self, pages, most=None, export="memory"):
        self.memory = (b"\x00" + uleb(pages) if most is None
                       else b"\x01" + uleb(pages) + uleb(most))
        if export:
            self.exports.append(name(export) + b"\x02\x00")

    def data(self, offset, raw):
        self.datas.append(b"\x00" + i32(offset) + END + uleb(len(raw)) + raw)

    def mutable_i32(self, value):
        self.globals.append(bytes([I32, 1]) + i32(value) + END)
        return len(self.globals) - 1

    def bytes(self):
        parts = [(1, self.types), (2, self.imports), (3, self.funcs),
                 (5, [self.memory] if self.memory else []), (6, self.globals),
                 (7, self.exports)]
        out = MAGIC + b"".join(section(n, vec(items)) for n, items in parts if items)
        if self.start is not None:
            out += section(8, uleb(self.start))
        for number, items in ((10, self.codes), (11, self.datas)):
            if items:
                out += section(number, vec(items))
        if self.names:
            table = vec([uleb(i) + name(text) for i, text in sorted(self.names.items())])
            out += section(0, name("name") + section(1, table))
        return out


def main_module(body, **more):
    """A command whose _start is `body`."""
    module = Module()
    module.func(body, export="_start", **more)
    return module.bytes()
