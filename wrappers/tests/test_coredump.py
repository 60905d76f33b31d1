#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--coredump of bin/wasmrun: dumps are read back here and compared with what the guest had. The
program is the first argument, or $WASMRUN. Last line: 'N passed, N failed, N skipped'."""
import struct

import test_cli
from test_cli import *  # noqa: F403

test_cli.TESTS.clear()  # those of test_cli.py itself
PAGE = 65536


class Reader:
    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def take(self, count):
        assert self.at + count <= len(self.raw), "cut short"
        self.at += count
        return self.raw[self.at - count:self.at]

    def byte(self):
        return self.take(1)[0]

    def leb(self, signed=False):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value - (1 << shift) if signed and byte & 0x40 else value

    def name(self):
        return self.take(self.leb()).decode()

    def vec(self, item):
        return [item() for _ in range(self.leb())]

    def zero(self):
        assert self.byte() == 0

    def value(self):
        kind = self.byte()
        return {0x01: lambda: None, I32: lambda: self.leb(True), I64: lambda: self.leb(True),
                F32: lambda: struct.unpack("<f", self.take(4))[0],
                F64: lambda: struct.unpack("<d", self.take(8))[0]}[kind]()

    def constant(self):
        """A constant expression; references are None."""
        code = self.byte()
        value = {0x41: lambda: self.leb(True), 0x42: lambda: self.leb(True),
                 0x43: lambda: struct.unpack("<f", self.take(4))[0],
                 0x44: lambda: struct.unpack("<d", self.take(8))[0],
                 0xD0: lambda: self.byte() and None}[code]()
        assert self.byte() == 0x0B
        return value


class Core:
    """A parsed dump."""

    def __init__(self, path):
        with open(path, "rb") as file:
            raw = file.read()
        assert raw[:8] == MAGIC, raw[:8]
        r = Reader(raw)
        r.take(8)
        self.memory_pages, self.globals, self.segments = [], [], []
        while r.at < len(raw):
            number = r.byte()
            part = Reader(r.take(r.leb()))
            self.section(number, part)
            assert part.at == len(part.raw), f"section {number} has more than it should"

    def section(self, number, r):
        if number == 0:
            getattr(self, "read_" + r.name())(r)
        elif number == 5:
            self.memory_pages = r.vec(lambda: (r.byte(), r.leb())[1])
        elif number == 6:
            self.globals = r.vec(lambda: (r.byte(), r.zero(), r.constant())[2])
        elif number == 11:
            self.segments = r.vec(lambda: self.segment(r))
        else:
            raise AssertionError(f"section {number}")

    def segment(self, r):
        kind = r.byte()
        memory = r.leb() if kind == 2 else 0
        offset = r.constant() & 0xFFFFFFFF
        return memory, offset, r.take(r.leb())

    def read_core(self, r):
        r.zero()
        self.name = r.name()

    def read_coremodules(self, r):
        self.modules = r.vec(lambda: (r.zero(), r.name())[1])

    def read_coreinstances(self, r):
        self.instances = r.vec(lambda: (r.zero(), r.leb(), r.vec(r.leb), r.vec(r.leb))[1:])

    def read_corestack(self, r):
        r.zero()
        self.thread = r.name()
        self.frames = r.vec(lambda: (r.zero(), r.leb(), r.leb(), r.leb(), r.vec(r.value), r.vec(r.value))[1:])

    def bytes_at(self, memory, offset, size):
        for index, begin, raw in self.segments:
            if index == memory and begin <= offset and offset + size <= begin + len(raw):
                return raw[offset - begin:offset - begin + size]
        return bytes(size)


def dump(*words, code=134, path="core.out"):
    result = run(f"--coredump={path}", *words).want(code)
    run("validate", path).want(0)
    core = Core(path)
    core.err = result.err
    return core


def sample():
    """_start calls middle(5), which calls deep(7, -2, 1.5, 2.25), which traps."""
    module = Module()
    module.mem(3)
    module.data(100, b"hello memory")
    cell = module.mutable_i32(-77)
    # Locals of deep: four parameters, then an i32 set to 1234, an i64 left alone, a v128.
    deep = module.func(i32(1234) + b"\x21\x04" + i32(2 * PAGE) + i32(0x55667788) + STORE32 + UNREACHABLE,
                       [I32, I64, F32, F64], locals_=[I32, I64], label="deep")
    middle = module.func(local_get(0) + i32(2) + b"\x6a" + i64(-2) + b"\x43" + struct.pack("<f", 1.5) +
                         b"\x44" + struct.pack("<d", 2.25) + call(deep), [I32], label="middle")
    module.func(i32(99) + b"\x24" + uleb(cell) + i32(5) + call(middle), export="_start")
    return write("sample.wasm", module.bytes())


@test
def frames_locals_globals_memory():
    file = sample()
    for backend in BACKENDS:
        for memory in ("guard", "explicit"):
            core = dump("--backend", backend, "--memory", memory, file)
            assert core.name == file and core.modules == [file] and core.thread == "main", vars(core)
            assert core.instances == [(0, [0], [0])], core.instances
            assert [frame[:2] for frame in core.frames] == [(0, 0), (0, 1), (0, 2)], core.frames
            assert core.frames[0][3] == [7, -2, 1.5, 2.25, 1234, 0], core.frames
            assert core.frames[1][3] == [5] and core.frames[2][3] == [], core.frames
            assert core.globals == [99] and core.memory_pages == [3], vars(core)
            assert core.bytes_at(0, 100, 12) == b"hello memory"
            assert core.bytes_at(0, 2 * PAGE, 4) == b"\x88\x77\x66\x55"
            assert sum(len(raw) for _, _, raw in core.segments) <= 2 * 4096, "pages of zeroes were written"


@test
def offsets_count_from_the_functions_beginning():
    file = sample()
    core = dump(file)
    printed = [int(at, 16) for at in re.findall(r"#\d+ 0x([0-9a-f]+) ", core.err)]
    with open(file, "rb") as opened:
        raw = opened.read()
    for (_, _, offset, _, _), at in zip(core.frames, printed):
        begin = at - offset  # a body begins behind its size, with its groups of locals
        assert 0 < offset < 200 and raw[begin] in (0, 2), (offset, at)
    assert raw[printed[0]] == 0 and raw[printed[1]] == 0x10 and raw[printed[2]] == 0x10  # unreachable, call


@test
def several_instances():
    library = Module()
    library.mem(1)
    library.data(8, b"library")
    cell = library.mutable_i32(3)
    library.func(i32(8) + b"\x24" + uleb(cell) + UNREACHABLE, results=[I32], export="get")
    write("library.wasm", library.bytes())
    user = Module()
    get = user.imp("library", "get", [], [I32])
    user.mem(2)
    user.data(16, b"user")
    user.func(call(get) + DROP, export="_start")
    file = write("user.wasm", user.bytes())
    core = dump("--preload", "library=library.wasm", file)
    assert core.modules == ["library.wasm", file] and core.name == file, vars(core)
    assert core.instances == [(0, [0], [0]), (1, [1], [])], core.instances
    assert [frame[:2] for frame in core.frames] == [(0, 0), (1, 1)], core.frames
    assert core.globals == [8] and core.memory_pages == [1, 2], vars(core)
    assert core.bytes_at(0, 8, 7) == b"library" and core.bytes_at(1, 16, 4) == b"user"


@test
def stack_exhaustion():
    for backend in BACKENDS:
        core = dump("--backend", backend, write("deep.wasm", deep_module()))
        assert len(core.frames) == 4096, len(core.frames)
        numbers = [frame[3][0] for frame in core.frames]
        assert all(a == b + 1 for a, b in zip(numbers, numbers[1:])), numbers[:8]


@test
def many_groups_of_locals():
    """A recursive function with 100,000 empty groups: reading them for all frames would take long."""
    module = Module()
    groups = uleb(100_000) + (b"\x00" + bytes([I32])) * 100_000
    code = groups + local_get(0) + call(0) + DROP + local_get(0) + END
    module.func(b"", [I32], [I32])
    module.codes[0] = uleb(len(code)) + code
    module.func(i32(0) + call(0) + DROP, export="_start")
    begun = time.monotonic()
    core = dump(write("groups.wasm", module.bytes()))
    assert len(core.frames) == 4096 and core.frames[0][3] == [0] and core.frames[-1][3] == [], core.frames[0]
    assert time.monotonic() - begun < 15


@test
def a_large_memory_that_is_empty():
    module = Module()
    module.mem(65536)
    module.func(i32(-8) + i32(0x01020304) + STORE32 + UNREACHABLE, export="_start")
    core = dump(write("large.wasm", module.bytes()))
    assert core.memory_pages == [65536], core.memory_pages
    assert core.bytes_at(0, (1 << 32) - 8, 4) == b"\x04\x03\x02\x01"
    assert os.path.getsize("core.out") < 20000, os.path.getsize("core.out")


@test
def traps_in_start_functions():
    module = Module()
    module.mem(1)
    module.data(0, b"early")
    module.start = module.func(UNREACHABLE, label="early")
    module.func(b"", export="_start")
    core = dump(write("start.wasm", module.bytes()))
    assert len(core.frames) == 1 and core.bytes_at(0, 0, 5) == b"early", vars(core)


@test
def without_a_trap_the_file_is_empty():
    run("--coredump=none.out", write("hello.wasm", hello_module())).want(0).prints("hello\n")
    assert os.path.getsize("none.out") == 0
    run("--coredump=none.out", write("exit.wasm", exit_module(134))).want(134)
    assert os.path.getsize("none.out") == 0


@test
def files_that_cannot_be_written():
    file = sample()
    run("--coredump=no/such/file", file).want(125, "--coredump: no/such/file: No such file")
    run("--coredump=/dev/full", file).want(134, "trap: unreachable", "--coredump: /dev/full: No space left")


@test
def a_timeout_does_not_cut_a_dump():
    """The time is over while the dump is being written to somebody slow; the guest had trapped before."""
    module = Module()
    module.mem(3)
    module.data(0, bytes(range(1, 251)) * 600)  # more than a pipe holds
    module.func(UNREACHABLE, export="_start")
    file = write("big.wasm", module.bytes())
    os.mkfifo("slow.out")
    child = subprocess.Popen([WASMRUN, "--timeout=300ms", "--coredump=slow.out", file], stderr=subprocess.PIPE)
    with open("slow.out", "rb") as reader:
        time.sleep(3)  # the helper gives a guest two seconds after its time
        write("slow.core", reader.read())
    err = child.communicate(timeout=30)[1]
    assert child.returncode == 134 and b"trap: unreachable" in err and b"timed out" not in err, (child.returncode, err)
    run("validate", "slow.core").want(0)
    assert Core("slow.core").bytes_at(0, 149990, 10) == bytes(range(241, 251))


if __name__ == "__main__":
    sys.exit(main())
