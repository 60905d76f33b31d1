#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Options of bin/wasmrun that give a guest its world: directories, environment, --config, --preload,
reactors; messages as JSON, colours, completion, binfmt_misc. The program is the first argument, or
$WASMRUN. Last line: 'N passed, N failed, N skipped'."""
import pty
import shutil

import test_cli
from test_cli import *  # noqa: F403

test_cli.TESTS.clear()  # those of test_cli.py itself


def messages(result):
    """Every line of stderr is one JSON object."""
    return [json.loads(line) for line in result.err.splitlines()]


def cat_module():
    """Copies one read of up to 256 bytes from stdin to stdout."""
    module = Module()
    get = module.imp(WASI, "fd_read", [I32, I32, I32, I32], [I32])
    put = module.imp(WASI, "fd_write", [I32, I32, I32, I32], [I32])
    module.mem(1)
    module.data(0, (64).to_bytes(4, "little") + (256).to_bytes(4, "little"))
    module.func(i32(0) + i32(0) + i32(1) + i32(8) + call(get) + DROP +
                i32(4) + i32(8) + LOAD32 + STORE32 +
                i32(1) + i32(0) + i32(1) + i32(12) + call(put) + DROP, export="_start")
    return module.bytes()


def preopens_module():
    """Writes the names of directories 3 to 6, as far as they exist."""
    module = Module()
    get = module.imp(WASI, "fd_prestat_get", [I32, I32], [I32])
    dir_name = module.imp(WASI, "fd_prestat_dir_name", [I32, I32, I32], [I32])
    put = module.imp(WASI, "fd_write", [I32, I32, I32, I32], [I32])
    module.mem(1)
    module.data(512, b",")
    body = b""
    for fd in range(3, 7):
        body += (i32(fd) + i32(0) + call(get) + b"\x45\x04\x40" +  # i32.eqz if
                 i32(fd) + i32(64) + i32(4) + LOAD32 + call(dir_name) + DROP +
                 i32(8) + i32(64) + STORE32 + i32(12) + i32(4) + LOAD32 + STORE32 +
                 i32(16) + i32(512) + STORE32 + i32(20) + i32(1) + STORE32 +
                 i32(1) + i32(8) + i32(2) + i32(24) + call(put) + DROP + END)
    module.func(body, export="_start")
    return module.bytes()


# ---------------------------------------------------------------- directories

@test
def three_forms_of_directories():
    file = write("pre.wasm", preopens_module())
    for name in ("d", "e", "f"):
        os.makedirs(name, exist_ok=True)
    run("--dir", "d::/1", "--mapdir", "/2::e", "--volume", "f:/3", "-v", "f:/4:ro", file).want(0).prints("/1,/2,/3,/4,")
    create = write("create.wasm", create_module())
    for words in (("-v", "f:/x:ro"), ("--dir", "f::/x:ro")):
        assert run(*words, create).code != 0 and not os.path.exists("f/new"), words
    run("-v", "f:/x:rw", create).want(0)
    run("--mapdir", "/x::e", create).want(0)
    assert os.path.exists("f/new") and os.path.exists("e/new")


@test
def no_directory_without_an_option():
    """Not even the working directory (CVE-2023-51661 of another runtime)."""
    run(write("pre.wasm", preopens_module())).want(0).prints("")
    run("--cwd", "/", "pre.wasm").prints("")


@test
def directories_say_what_was_read():
    file = write("pre.wasm", preopens_module())
    table = (("--mapdir", "/g:none", "is not GUEST::HOST"), ("--volume", "a::b", "two colons"),
             ("--volume", "a:b:c", "has something else than ro or rw"), ("--volume", "a", "is not HOST:GUEST"),
             ("--mapdir", "/g::none", "host 'none' as guest '/g'"),
             ("--volume", "none:/g:ro", "host 'none' as guest '/g', read-only"))
    for option, value, text in table:
        run(option, value, file).want(125, text)


@test
def working_directory():
    pre, env = write("pre.wasm", preopens_module()), write("env.wasm", list_module("environ"))
    os.makedirs("w/sub", exist_ok=True)
    run("-v", "w:/data", "--cwd", "/data/sub", pre).want(0).prints("/data,.,")
    run("-v", "w:/data", "--cwd", "/data/sub", env).want(0).prints("PWD=/data/sub\0")
    run("--dir", "w::/", "--cwd", "/sub", pre).want(0).prints("/,")  # '.' would hide it
    run("--dir", "w::/", "--cwd", "/sub", env).want(0).prints("PWD=/sub\0")
    run("--cwd", "/sub", env).want(125, "--cwd '/sub': no directory given")
    run("-v", "w:/data", "--cwd", "/data/none", env).want(125, "--cwd '/data/none': No such file")
    os.symlink("..", "w/up")
    run("-v", "w:/data", "--cwd", "/data/up", env).want(125, "--cwd '/data/up'")
    create = write("create.wasm", create_module().replace(b"\x41\x03\x41\x00\x41\x00", b"\x41\x04\x41\x00\x41\x00"))
    run("-v", "w:/data", "--cwd", "/data/sub", create).want(0)
    assert os.path.exists("w/sub/new")
    os.remove("w/sub/new")
    assert run("-v", "w:/data:ro", "--cwd", "/data/sub", create).code != 0
    assert not os.path.exists("w/sub/new")


# ---------------------------------------------------------------- environment, stdin

@test
def environment_inherited():
    file = write("env.wasm", list_module("environ"))
    env = {"A": "1", "B": "x=y", "PATH": os.environ["PATH"]}
    seen = run("--env-inherit", file, env=env).want(0).out.decode().split("\0")
    assert set(env) == {entry.split("=")[0] for entry in seen if entry}, seen
    seen = run("--env-inherit", "--env", "A=2", file, env=env).want(0).out.decode().split("\0")
    assert "A=2" in seen and "A=1" not in seen, seen


@test
def environment_from_a_file():
    file = write("env.wasm", list_module("environ"))
    write("vars", b"# a comment\nA=1\r\n\nB= two = 2 \nHOST\nNOT_SET_ANYWHERE\n")
    run("--env-file", "vars", file, env={"HOST": "h"}).want(0).prints("A=1\0B= two = 2 \0HOST=h\0")
    run("--env-file", "vars", "--env", "A=9", file, env={}).want(0).prints("A=9\0B= two = 2 \0")
    run("--env-file", "none", file).want(125, "--env-file: none: No such file")
    run("--env-file", write("bad", b"A=1\n=x\n"), file).want(125, "line 2", "no name before")
    run("--env-file", write("nul", b"A=\0"), file).want(125, "NUL")
    run("--env-file", "/dev/zero", file).want(125, "larger than 1024 KiB")


@test
def stdin_from_a_file():
    file = write("cat.wasm", cat_module())
    write("in", b"from a file")
    run(file, stdin=b"from a pipe").want(0).prints("from a pipe")
    run("--stdin", "in", file, stdin=b"from a pipe").want(0).prints("from a file")
    run("--stdin=in", "-", stdin=cat_module()).want(0).prints("from a file")
    run("--stdin", "/dev/null", file, stdin=b"from a pipe").want(0).prints("")
    run("--stdin", "none", file).want(125, "--stdin: none: No such file")


# ---------------------------------------------------------------- several modules

def library(value, start=b""):
    """get(): what _initialize left, `value`; set through it."""
    module = Module()
    cell = module.mutable_i32(1)
    module.func(i32(value) + b"\x24" + uleb(cell) + start, export="_initialize")
    module.func(b"\x23" + uleb(cell), results=[I32], export="get")
    return module.bytes()


def user(*names):
    """sum(): of get() of each module."""
    module = Module()
    gets = [module.imp(name, "get", [], [I32]) for name in names]
    body = i32(0)
    for get in gets:
        body += call(get) + b"\x6a"
    module.func(body, results=[I32], export="sum")
    return module.bytes()


@test
def preloads():
    one, two = write("one.wasm", library(40)), write("two.wasm", library(2))
    file = write("user.wasm", user("one", "two"))
    run("--preload", f"one={one}", "--preload=two=two.wasm", "--invoke", "sum", file).want(0).prints("42\n")
    run("--preload", f"one={one}", "--invoke", "sum", file).want(126, "1 import", "two.get")
    chain = Module()
    get = chain.imp("one", "get", [], [I32])
    chain.func(call(get) + i32(1) + b"\x6a", results=[I32], export="get")
    write("chain.wasm", chain.bytes())
    run("--preload", "one=one.wasm", "--preload", "two=chain.wasm", "--invoke", "sum", file).want(0).prints("81\n")
    run("--preload", "two=chain.wasm", "--preload", "one=one.wasm", "--invoke", "sum", file).want(
        126, "chain.wasm: link error")
    for value in ("one", "=f", "one="):
        run("--preload", value, file).want(125, "is not NAME=FILE")
    run("--preload", "one=none.wasm", "--invoke", "sum", file).want(127, "none.wasm")
    run("--preload", f"one={write('bad.wasm', b'bad')}", "--invoke", "sum", file).want(126, "bad.wasm")


@test
def preloads_use_wasi_and_name_themselves():
    noisy = Module()
    put = noisy.imp(WASI, "fd_write", [I32, I32, I32, I32], [I32])
    noisy.mem(1)
    noisy.data(0, (16).to_bytes(4, "little") + (5).to_bytes(4, "little"))
    noisy.data(16, b"init\n")
    noisy.func(i32(1) + i32(0) + i32(1) + i32(8) + call(put) + DROP, export="_initialize")
    noisy.func(UNREACHABLE, results=[I32], export="get", label="inside")
    write("noisy.wasm", noisy.bytes())
    file = write("user.wasm", user("one"))
    result = run("--preload", "one=noisy.wasm", "--invoke", "sum", file).want(134, "#0 ", "inside", "#1 ", "sum")
    result.prints("init\n")
    frames = messages(run("--error-format", "json", "--preload", "one=noisy.wasm", "--invoke", "sum", file))[0]["frames"]
    assert [(f["function"], f["module"]) for f in frames] == [("inside", "noisy.wasm"), ("sum", "user.wasm")], frames
    write("trap.wasm", library(1, UNREACHABLE))
    run("--preload", "one=trap.wasm", "--invoke", "sum", file).want(134, "trap.wasm: trap: unreachable", "_initialize")


@test
def profiles_tell_modules_apart():
    spin = Module()
    loop = (i32(20_000_000) + b"\x21\x00\x03\x40" + local_get(0) + i32(1) + b"\x6b\x22\x00\x0d\x00" + END)
    spin.func(loop + i32(1), locals_=[I32], results=[I32], export="get", label="hot")
    write("spin.wasm", spin.bytes())
    file = write("user.wasm", user("one"))
    run("--preload", "one=spin.wasm", "--invoke", "sum", "--profile=p.folded", file).want(0)
    with open("p.folded", encoding="utf-8") as lines:
        assert "sum;hot " in lines.read()


@test
def reactors():
    file = write("lib.wasm", library(7))
    run("--invoke", "get", file).want(0).prints("7\n")
    run(file).want(125, "_initialize", "--invoke")
    run("--invoke", "get", write("trap.wasm", library(7, UNREACHABLE))).want(134, "_initialize").prints("")
    leaving = Module()
    leave = leaving.imp(WASI, "proc_exit", [I32])
    leaving.func(i32(9) + call(leave), export="_initialize")
    leaving.func(i32(1), results=[I32], export="get")
    run("--invoke", "get", write("leave.wasm", leaving.bytes())).want(9).prints("")
    run("--invoke", "_initialize", file).want(0).prints("")


# ---------------------------------------------------------------- --config

def config(data, name="c.json"):
    return write(name, json.dumps(data).encode())


@test
def config_files():
    env, args = write("env.wasm", list_module("environ")), write("args.wasm", list_module("args"))
    pre = write("pre.wasm", preopens_module())
    os.makedirs("d", exist_ok=True)
    run("--config", config({"env": ["A=1", "B=2"]}), env).want(0).prints("A=1\0B=2\0")
    run("--config", config({"env": {"A": "1", "N": 5}}), env).want(0).prints("A=1\0N=5\0")
    run("--config", config({"env": "A=1"}), "--env", "A=2", env).want(0).prints("A=2\0")
    run("--env", "A=2", "--config", config({"env": "A=1"}), env).want(0).prints("A=1\0")
    run("--config", config({"module": args, "args": ["x", "", 3]}), "y", "--z").want(0).prints("args\0x\0\0003\0y\0--z\0")
    run("--config", config({"module": args, "args": [0.1, 1.5e300, 1 / 3]})).want(0).prints(
        "args\0" "0.1\0" "1.5e+300\0" "0.3333333333333333\0")
    run("--config", config({"fuel": 1e9}), args).want(0)
    run("--config", config({"module": args, "args": [1e6, 2500000.0]})).want(0).prints("args\0" "1000000\0" "2500000\0")
    run("--config", config({"dir": ["d::/1", "d::/2:ro"], "volume": "d:/3"}), pre).want(0).prints("/1,/2,/3,")
    run("--config", config({"fuel": 1000}), write("long.wasm", main_module(LOOP_FOREVER))).want(124, "fuel")
    run("--config", config({"timeout": 0.2}), "long.wasm").want(124, "timed out")
    assert "stats" in run("--config", config({"stats": True}), env).want(0).err
    run("--config", config({"stats": False}), env).want(125, '"stats" must be true, or left out')
    one, two = config({"env": "A=1"}, "1.json"), config({"env": "B=2"}, "2.json")
    run("--config", one, "--config", two, env).want(0).prints("A=1\0B=2\0")


@test
def config_errors():
    file = write("ok.wasm", main_module(b""))
    table = (
        ({"nonsense": 1}, 'there is no "nonsense"'), ({"config": "x"}, 'no "config" in a file'),
        ({"help": True}, 'no "help" in a file'), ({"stats": 1}, '"stats" must be true, or left out, not a number'),
        ({"dir": True}, '"dir" must be a string'), ({"dir": [["d"]]}, "not an array"), ([], "not an object but an array"),
        ({"args": "x"}, '"args" must be an array'), ({"args": [None]}, "not null"), ({"module": 1}, '"module" must be'),
        ({"timeout": "soon"}, "'soon' is not a time"), ({"env": {"A=": "1"}}, "must be a variable"),
        ({"env": {"": "1"}}, "no name before"), ({"env": {"A": []}}, "not an array"), ({"max-memory": -1}, "is not a size"),
    )
    for data, text in table:
        run("--config", config(data), file).want(125, text)
    run("--config", write("c.json", b"{"), file).want(125, "c.json: line 1")
    run("--config", write("c.json", b'{"env":"A=1","env":"B=1"}'), file).want(125, "duplicate")
    run("--config", write("c.json", b'{"argv0":"a\\u0000b"}'), file).want(125, "c.json")
    run("--config", write("c.json", b"[" * 100000), file).want(125, "c.json")
    run("--config", "none.json", file).want(125, "--config: none.json: No such file")
    run("--config", "/dev/zero", file).want(125, "larger than")


# ---------------------------------------------------------------- messages

@test
def errors_as_json():
    trap = Module()
    inner = trap.func(UNREACHABLE, label="in\x1b\"ner")
    trap.func(call(inner), export="_start")
    file = write("trap.wasm", trap.bytes())
    (error,) = messages(run("--error-format", "json", file).want(134))
    assert (error["error"], error["trap"], error["file"], error["exit_code"]) == ("trap", "unreachable", file, 134), error
    assert [f["function"] for f in error["frames"]] == ["in\x1b\"ner", "_start"], error
    assert [f["index"] for f in error["frames"]] == [0, 1] and error["frames_left_out"] == 0, error
    (error,) = messages(run("--error-format=json", "none.wasm").want(127))
    assert error["exit_code"] == 127 and error["file"] == "none.wasm", error
    (error,) = messages(run("--error-format=json", write("inv.wasm", main_module(i32(1)))).want(126))
    assert error["error"] == "invalid module" and error["function"] == 0 and error["offset"] > 8, error
    miss = Module()
    miss.imp("env", "first", [I32], [])
    miss.imp(WASI, "fd_wrte", [I32, I32, I32, I32], [I32])
    miss.func(b"", export="_start")
    (error,) = messages(run("--error-format=json", write("miss.wasm", miss.bytes())).want(126))
    assert [i["name"] for i in error["imports"]] == ["first", "fd_wrte"], error
    assert error["imports"][1]["similar"].endswith("fd_write"), error
    (error,) = messages(run("--error-format=json", "--timeout=100ms", write("l.wasm", main_module(LOOP_FOREVER))).want(124))
    assert error["error"] == "timed out", error
    for words in (("--nonsense", file), ("--dir", "none::/x", file), ("--invoke", "none", file), (), ("--backend=x", file)):
        (error,) = messages(run("--error-format=json", *words).want(125))
        assert error["message"], words
    (error,) = messages(run("--error-format=json", "--invoke", "add", write("m.wasm", math_module()), "1").want(125))
    assert error["detail"] == "add i32 i32 -> i32", error
    (stats,) = messages(run("--error-format=json", "--stats", write("hello.wasm", hello_module())).want(0))
    assert stats["stats"]["functions"] == 1, stats
    run("--error-format=xml", file).want(125, "none of text, json")


def on_terminal(*words, env):
    """stderr of wasmrun when that is a terminal."""
    parent, child = pty.openpty()
    done = subprocess.run([WASMRUN, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=child,
                          env=dict(os.environ, **env), timeout=60)
    os.close(child)
    text = os.read(parent, 65536)
    os.close(parent)
    return done.returncode, text


@test
def colours():
    file = write("trap.wasm", main_module(UNREACHABLE))
    code, text = on_terminal(file, env={"TERM": "xterm", "NO_COLOR": ""})
    assert code == 134 and b"\x1b[1;31mwasmrun:\x1b[0m " in text and b"\x1b[2m0x" in text, text
    for env in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb", "NO_COLOR": ""}):
        code, text = on_terminal(file, env=env)
        assert code == 134 and b"\x1b" not in text and b"trap: unreachable" in text, (env, text)
    assert "\x1b" not in run(file, env=dict(os.environ, TERM="xterm")).want(134).err


@test
def help_shows_default_limits():
    text = run("run", "--help").want(0).out.decode()
    for words in ("(8m)", "4g for each", "instructions (none)", "1m (none)", "10,000,000 table elements",
                  "$NO_COLOR"):
        assert words in text, words
    assert all(len(line) <= 100 for line in text.splitlines()), text


# ---------------------------------------------------------------- completion, binfmt_misc

def options_of(command):
    text = run(command, "--help").want(0).out.decode()
    return set(re.findall(r"^ +(?:-., )?(--[a-z0-9-]+)", text, re.M))


def bash_complete(*words, cwd="."):
    script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _wasmrun; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, os.path.abspath("comp.bash"), "wasmrun", *words], cwd=cwd,
                          capture_output=True, timeout=60, check=True)
    assert done.stderr == b"", done.stderr
    return set(done.stdout.decode().split())


@test
def completion_for_bash():
    write("comp.bash", run("completion", "bash").want(0).out)
    os.makedirs("c/folder", exist_ok=True)
    for name in ("a.wasm", "b.txt"):
        write(f"c/{name}", b"")
    for command in ("run", "validate", "inspect", "explore", "completion"):
        assert bash_complete(command, "--") == options_of(command), command
    assert bash_complete("--") == options_of("run")
    assert bash_complete("") >= {"run", "validate", "inspect", "explore", "completion", "help"}
    assert bash_complete("ex") == {"explore"}
    assert bash_complete("--backend", "") == {"auto", "tail", "tail-v3", "loop"}
    assert bash_complete("--error-format", "=", "j") == {"json"}
    assert bash_complete("run", "--stdin", "", cwd="c") == {"a.wasm", "b.txt", "folder"}
    assert bash_complete("--dir", "", cwd="c") == {"folder"}
    assert bash_complete("inspect", "", cwd="c") == {"a.wasm", "folder"}
    assert bash_complete("--env", "", cwd="c") == set()
    assert bash_complete("completion", "z") == {"zsh"}


@test
def completion_for_zsh():
    if not shutil.which("zsh"):
        raise Skip("no zsh here")
    script = write("_wasmrun", run("completion", "zsh").want(0).out)
    subprocess.run(["zsh", "-n", script], check=True, timeout=60)
    # What _arguments is told for a command: its options, each once.
    for command in ("run", "validate", "inspect", "explore", "completion"):
        stub = ("_arguments() { print -rl -- $@ }; _describe() { :; }; _files() { :; }; "
                f"f() {{ words=(wasmrun {command} x); CURRENT=3; source ./_wasmrun }}; f")
        done = subprocess.run(["zsh", "-fc", stub], capture_output=True, check=True, timeout=60)
        assert done.stderr == b"", done.stderr
        told = set(re.findall(r"^\*(--[a-z0-9-]+)=?\[", done.stdout.decode(), re.M))
        assert told == options_of(command), (command, done.stdout)


@test
def completion_for_fish():
    if not shutil.which("fish"):
        raise Skip("no fish here")
    script = os.path.abspath(write("wasmrun.fish", run("completion", "fish").want(0).out))
    for line, wanted in (("wasmrun --", options_of("run")), ("wasmrun inspect --", options_of("inspect")),
                         ("wasmrun --backend ", {"auto", "tail", "tail-v3", "loop"}),
                         ("wasmrun completion ", {"bash", "zsh", "fish"})):
        done = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
                              capture_output=True, check=True, timeout=60, env=dict(os.environ, HOME=os.getcwd()))
        assert done.stderr == b"", done.stderr
        found = {word.split("\t")[0] for word in done.stdout.decode().splitlines()}
        assert found == wanted, (line, found)


@test
def completion_errors():
    run("completion").want(125, "one of bash, zsh, fish")
    run("completion", "tcsh").want(125, "one of bash, zsh, fish")


@test
def binfmt():
    link = os.path.join(os.path.dirname(WASMRUN), "wasmrun-binfmt")
    args = write("args.wasm", list_module("args"))
    # The kernel's words: interpreter, file, the name it was called by, arguments.
    done = subprocess.run([link, args, "called", "--help", "-x"], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"called\0--help\0-x\0"), done
    write("validate", list_module("args"))
    done = subprocess.run([link, "validate", "./validate"], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"./validate\0"), done
    done = subprocess.run([link], capture_output=True, timeout=60)
    assert done.returncode == 125 and b"started by the kernel" in done.stderr, done


@test
def binfmt_by_the_kernel():
    """The installed line, in a user namespace of its own: nothing is registered outside of it."""
    folder = os.path.dirname(WASMRUN)
    conf = os.path.join(os.path.dirname(folder), "wasmrun-binfmt.conf")
    if not os.path.exists(conf) or not shutil.which("unshare"):
        raise Skip("no wasmrun-binfmt.conf beside the build, or no unshare")
    with open(conf, encoding="ascii") as file:
        (line,) = [text for text in file.read().splitlines() if text and not text.startswith("#")]
    line = re.sub(r"::.*/wasmrun-binfmt:", f"::{folder}/wasmrun-binfmt:", line)
    os.chmod(write("tool", list_module("args")), 0o755)
    os.makedirs("fmt", exist_ok=True)
    script = ("import os, subprocess, sys\n"
              "if subprocess.run(['mount', '-t', 'binfmt_misc', 'none', 'fmt'], capture_output=True).returncode:\n"
              "    sys.exit(99)\n"
              "with open('fmt/register', 'w') as file: file.write(sys.argv[1])\n"
              "os.execv('./tool', ['zero', '--help', 'x'])\n")
    done = subprocess.run(["unshare", "-Urm", "python3", "-c", script, line], capture_output=True, timeout=60)
    if done.returncode == 99 or b"unshare" in done.stderr:
        raise Skip("no binfmt_misc in user namespaces here")
    assert (done.returncode, done.stdout) == (0, b"zero\0--help\0x\0"), done


if __name__ == "__main__":
    sys.exit(main())
