#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`wasmrun pack`: what is in the files it writes, that they are the same bytes each time, names of
images, errors, and skopeo reading them. The program is the first argument, or $WASMRUN. Last line:
'N passed, N failed, N skipped'."""
import hashlib
import io
import shutil
import tarfile

import test_cli
from test_cli import *  # noqa: F403

test_cli.TESTS.clear()  # those of test_cli.py itself
KIND = "application/vnd.oci.image."
COMPONENT = b"\0asm\x0d\0\x01\0"


class Packed:
    """A tar file read back; every digest and size in it is checked."""

    def __init__(self, raw):
        self.raw, self.files, self.rows = raw, {}, []
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as tar:
            for info in tar:
                assert (info.uid, info.gid, info.uname, info.gname) == (0, 0, "", ""), info.get_info()
                assert info.mode == (0o755 if info.isdir() else 0o644), info.get_info()
                assert not info.pax_headers and info.type in (tarfile.REGTYPE, tarfile.DIRTYPE)
                self.rows.append(info)
                if info.isfile():
                    self.files[info.name] = tar.extractfile(info).read()
        names = [info.name for info in self.rows]
        assert names == sorted(names) and len(names) == len(set(names)), names
        for name, data in self.files.items():
            if name.startswith("blobs/"):
                assert hashlib.sha256(data).hexdigest() == name.split("/")[2], name
        assert json.loads(self.files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
        self.index = json.loads(self.files["index.json"])
        assert self.index["mediaType"] == KIND + "index.v1+json" and self.index["schemaVersion"] == 2
        (self.row,) = self.index["manifests"]
        self.manifest = json.loads(self.blob(self.row, KIND + "manifest.v1+json"))
        assert self.manifest["mediaType"] == KIND + "manifest.v1+json" and self.manifest["schemaVersion"] == 2
        (self.layer,) = self.manifest["layers"]
        assert len([name for name in self.files if name.startswith("blobs/")]) == 3

    def blob(self, row, kind):
        assert row["mediaType"] == kind, row
        data = self.files["blobs/sha256/" + row["digest"].removeprefix("sha256:")]
        assert len(data) == row["size"], row
        return data

    def config(self, kind=KIND + "config.v1+json"):
        return json.loads(self.blob(self.manifest["config"], kind))

    def layer_rows(self):
        """{name: (mode, bytes or None)} of an image's layer, in the order of the file."""
        rows = {}
        raw = self.blob(self.layer, KIND + "layer.v1.tar")
        assert self.config()["rootfs"] == {"type": "layers", "diff_ids": [self.layer["digest"]]}
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as tar:
            for info in tar:
                assert (info.uid, info.gid) == (0, 0)
                rows[info.name] = (info.mode, tar.extractfile(info).read() if info.isfile() else None)
        assert list(rows) == sorted(rows)
        return rows


def pack(*words, env=None, stdin=b""):
    run("pack", "-o", "out.tar", *words, env=env, stdin=stdin).want(0).prints("")
    with open("out.tar", "rb") as file:
        return Packed(file.read())


def with_time(seconds):
    return dict(os.environ, SOURCE_DATE_EPOCH=str(seconds))


def no_time():
    return {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}


def nothing_else(*expected):
    """The folder holds only what the test has made."""
    assert sorted(os.listdir(".")) == sorted(expected), os.listdir(".")


class Folder:
    """A folder of its own; a with-statement."""

    def __enter__(self):
        self.before, self.path = os.getcwd(), tempfile.mkdtemp(dir=".")
        os.chdir(self.path)

    def __exit__(self, *_):
        os.chdir(self.before)
        shutil.rmtree(self.path)


MODULE = hello_module()
NEED = run("pack", "--help")
if b"--output" not in NEED.out:
    print("SKIPPED: test_pack.py: this wasmrun was built without what pack needs\n0 passed, 0 failed, 1 skipped")
    sys.exit(77)


# ---------------------------------------------------------------- images

@test
def an_image_of_one_module():
    write("hello.wasm", MODULE)
    packed = pack("hello.wasm", env=no_time())
    assert packed.layer_rows() == {"hello.wasm": (0o755, MODULE)}
    config = packed.config()
    assert (config["os"], config["architecture"], config["created"]) == ("wasip1", "wasm", "1970-01-01T00:00:00Z")
    assert config["config"] == {"Entrypoint": ["/hello.wasm"]}
    assert packed.row["platform"] == {"os": "wasip1", "architecture": "wasm"}
    assert packed.row["annotations"] == {"org.opencontainers.image.ref.name": "latest",
                                         "io.containerd.image.name": "localhost/hello:latest"}
    assert packed.manifest["annotations"] == {"module.wasm.image/variant": "compat"}
    (docker,) = json.loads(packed.files["manifest.json"])
    assert docker == {"Config": "blobs/sha256/" + packed.manifest["config"]["digest"][7:],
                      "Layers": ["blobs/sha256/" + packed.layer["digest"][7:]],
                      "RepoTags": ["localhost/hello:latest"]}


@test
def an_image_of_all_there_is():
    write("a.wasm", MODULE)
    write("b", exit_module(3))
    os.makedirs("data/inner/empty", exist_ok=True)
    write("data/z", b"z")
    write("data/inner/a", b"")
    packed = pack("--platform=linux/arm64/v8", "a.wasm", "--ref", "example.org:5000/x/y:1", "b", "--entrypoint",
                  "/b.wasm#go", "--env", "A=1", "--env", "B=", "--env", "A=2", "--workdir", "/srv", "--label", "k=v",
                  "--annotation", "one=two", "--annotation", "module.wasm.image/variant=", "--add", "data:/srv/data",
                  "--add", "a.wasm:/etc/copy", "--", "-x", "y z")
    assert packed.layer_rows() == {
        "a.wasm": (0o755, MODULE), "b.wasm": (0o755, exit_module(3)), "etc": (0o755, None), "etc/copy": (0o644, MODULE),
        "srv": (0o755, None), "srv/data": (0o755, None), "srv/data/inner": (0o755, None),
        "srv/data/inner/a": (0o644, b""), "srv/data/inner/empty": (0o755, None), "srv/data/z": (0o644, b"z")}
    config = packed.config()
    assert (config["os"], config["architecture"], config["variant"]) == ("linux", "arm64", "v8")
    assert config["config"] == {"Entrypoint": ["/b.wasm#go"], "Cmd": ["-x", "y z"], "Env": ["A=2", "B="],
                                "WorkingDir": "/srv", "Labels": {"k": "v"}}
    assert packed.manifest["annotations"] == {"one": "two"}
    assert packed.row["annotations"]["io.containerd.image.name"] == "example.org:5000/x/y:1"
    assert packed.row["annotations"]["org.opencontainers.image.ref.name"] == "1"
    shutil.rmtree("data")


@test
def the_same_bytes_elsewhere_at_another_time():
    """Other folder, umask, file modes and times, order of the folder's entries."""
    raws = []
    for mask, mode, names in ((0o022, 0o644, "abc"), (0o077, 0o600, "cba")):
        with Folder():
            os.umask(mask)
            os.mkdir("d")
            for name in names:
                os.chmod(write("d/" + name, name.encode()), mode)
            os.utime(write("m.wasm", MODULE), (mode, mode))
            for form in (("--add", "d:/d"), ("--format", "artifact")):
                raws.append(pack("m.wasm", *form, env=dict(no_time(), LANG="C" if mask else "de_DE.UTF-8")).raw)
            os.umask(0o022)
        time.sleep(1.1)  # another second on the clock
    assert raws[:2] == raws[2:] and raws[0] != raws[1]


@test
def the_time_is_the_one_given():
    write("m.wasm", MODULE)
    packed = pack("m.wasm", env=with_time(1700000000))
    assert packed.config()["created"] == "2023-11-14T22:13:20Z" == packed.config()["history"][0]["created"]
    assert {info.mtime for info in packed.rows} == {1700000000}
    for text in ("-1", "x", "1.5", "99999999999", "9" * 30):
        run("pack", "m.wasm", "-o", "t.tar", env=with_time(text)).want(125, f"SOURCE_DATE_EPOCH '{text}'")
        assert not os.path.exists("t.tar")


@test
def standard_streams():
    packed = Packed(run("pack", "-", "-o", "-", stdin=MODULE).want(0).out)
    assert packed.layer_rows() == {"module.wasm": (0o755, MODULE)}
    assert packed.row["annotations"]["io.containerd.image.name"] == "localhost/module:latest"
    with open("/dev/full", "wb") as full:
        done = subprocess.run([WASMRUN, "pack", "-", "-o", "-"], input=MODULE, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 125 and b"No space left" in done.stderr, done


@test
def long_names():
    write("m.wasm", MODULE)
    inner = "a" * 90 + "/" + "b" * 90
    rows = pack("m.wasm", "--add", f"m.wasm:/{inner}").layer_rows()
    assert rows[inner] == (0o644, MODULE) and rows["a" * 90] == (0o755, None)
    for name in ("c" * 101, "d" * 160 + "/e", "/".join(["f" * 50] * 6)):
        run("pack", "m.wasm", "-o", "x.tar", "--add", f"m.wasm:/{name}").want(125, "too long a name")
    exact = "g" * 100
    assert pack("m.wasm", "--add", f"m.wasm:/{exact}").layer_rows()[exact] == (0o644, MODULE)


# ---------------------------------------------------------------- artifacts

@test
def an_artifact_of_a_module():
    write("m.wasm", MODULE)
    packed = pack("m.wasm", "--format=artifact", "--ref", "r:2", "--annotation", "a=b", env=no_time())
    assert packed.blob(packed.layer, "application/wasm") == MODULE
    assert packed.config("application/vnd.wasm.config.v0+json") == {
        "created": "1970-01-01T00:00:00Z", "architecture": "wasm", "os": "wasip1",
        "layerDigests": [packed.layer["digest"]]}
    assert packed.manifest["annotations"] == {"a": "b"} and "manifest.json" not in packed.files
    assert packed.row["platform"] == {"os": "wasip1", "architecture": "wasm"}
    assert packed.row["annotations"]["io.containerd.image.name"] == "docker.io/library/r:2"


@test
def an_artifact_of_a_component():
    imports = vec([b"\x00" + name("wasi:cli/run@0.2.0") + b"\x05\x00", b"\x00" + name("f") + b"\x01\x03",
                   b"\x00" + name("t") + b"\x03\x01", b"\x00" + name("m") + b"\x00\x11\x02"])
    exports = vec([b"\x00" + name("go") + b"\x01\x05\x00", b"\x00" + name("core") + b"\x00\x11\x00\x01\x01\x07"])
    raw = COMPONENT + section(0, name("x") + b"..") + section(10, imports) + section(11, exports)
    write("c.wasm", raw)
    run("pack", "c.wasm", "-o", "x.tar", "--format=artifact").want(126, "a component", "--no-validate")
    packed = pack("c.wasm", "--no-validate", "--format=artifact")
    config = packed.config("application/vnd.wasm.config.v0+json")
    assert config["os"] == "wasip2" == packed.row["platform"]["os"]
    assert config["component"] == {"imports": ["wasi:cli/run@0.2.0", "f", "t", "m"], "exports": ["go", "core"]}
    assert pack("c.wasm", "--no-validate", "--format=artifact", "--platform", "wasip2/wasm").raw == packed.raw
    for size in range(9, len(raw)):  # cut anywhere, it is refused or has fewer sections
        write("c.wasm", raw[:size])
        done = run("pack", "c.wasm", "-o", "x.tar", "--no-validate", "--format=artifact")
        assert done.code in (0, 126), done.err
        assert done.code == 0 or "malformed component" in done.err


@test
def artifacts_are_modules_alone():
    write("m.wasm", MODULE)
    write("n.wasm", MODULE)
    for words, text in ((("n.wasm",), "one module"), (("--add", "n.wasm:/n"), "alone"), (("--env", "A=b"), "alone"),
                        (("--label", "A=b"), "alone"), (("--workdir", "/"), "alone"), (("--entrypoint", "/m.wasm"), "alone"),
                        (("--platform", "linux/amd64"), "wasip1/wasm"), (("--platform", "wasip2/wasm"), "wasip1/wasm")):
        run("pack", "m.wasm", "-o", "never.tar", "--format=artifact", *words).want(125, text)
    run("pack", "m.wasm", "-o", "never.tar", "--format=artifact", "--", "arg").want(125, "alone")
    assert not os.path.exists("never.tar")


# ---------------------------------------------------------------- names

@test
def names_of_images():
    write("m.wasm", MODULE)
    for text, full in (("a", "docker.io/library/a:latest"), ("a/b:T_1", "docker.io/a/b:T_1"),
                       ("docker.io/a", "docker.io/library/a:latest"), ("index.docker.io/a:1", "docker.io/library/a:1"),
                       ("localhost/a", "localhost/a:latest"), ("localhost:5000/a:b", "localhost:5000/a:b"),
                       ("Host/a", "Host/a:latest"), ("[::1]:80/a", "[::1]:80/a:latest"), ("x.y/a__b.c---d_e", "x.y/a__b.c---d_e:latest"),
                       ("127.0.0.1/a/b/c/d:1.0-x", "127.0.0.1/a/b/c/d:1.0-x")):
        assert pack("m.wasm", "--ref", text).row["annotations"]["io.containerd.image.name"] == full, text
    for text in ("", "A", "a:", ":a", "a/", "/a", "a//b", "a___b", "a..b", "-a", "a-", ".a", "a b", "a:b c", "a:.b", "a:-b",
                 "a@sha256:" + "0" * 64, "-x.y/a", "x..y/a", "x.y:z/a", "x.y:/a", "[::1/a", "x.y/", "a:" + "t" * 129,
                 "a" * 256, "x.y/" + "a" * 252, "a\n", "ä", "a:b:c"):
        run("pack", "m.wasm", "-o", "never.tar", f"--ref={text}").want(125, "is no image name")
    assert not os.path.exists("never.tar")


@test
def a_name_from_the_file():
    for file, full in (("Hello_World.wasm", "localhost/hello_world:latest"), ("x.opt.wasm", "localhost/x.opt:latest"), ("a.wasm.b.wasm", "localhost/a.wasm.b:latest"),
                       ("plain", "localhost/plain:latest")):
        assert pack(write(file, MODULE)).row["annotations"]["io.containerd.image.name"] == full
    run("pack", write("+.wasm", MODULE), "-o", "never.tar").want(125, "give one with --ref")
    assert pack("+.wasm", "--ref", "plus").layer_rows() == {"+.wasm": (0o755, MODULE)}


# ---------------------------------------------------------------- errors

@test
def modules_are_validated():
    write("bad.wasm", b"\0asm\1\0\0\0\xff\xff")
    with Folder():
        run("pack", "../bad.wasm", "-o", "x.tar").want(126, "bad.wasm", "offset")
        run("pack", "-", "-o", "x.tar", stdin=b"").want(126, "<stdin>")
        run("pack", "../bad.wasm", "nothing.wasm", "-o", "x.tar", "--no-validate").want(127, "nothing.wasm")
        run("pack", "--features=mvp", "-", "-o", "x.tar", stdin=write_simd()).want(126, "simd")
        nothing_else()
    assert pack("bad.wasm", "--no-validate").layer_rows() == {"bad.wasm": (0o755, b"\0asm\1\0\0\0\xff\xff")}


def write_simd():
    return main_module(b"\xfd\x0c" + bytes(16) + DROP)


@test
def wrong_words():
    write("m.wasm", MODULE)
    for words, text in (((), "no MODULE"), (("m.wasm",), "no --output"), (("m.wasm", "-o", "x", "--format", "zip"), "'zip'"),
                        (("m.wasm", "-o", "x", "--platform", "linux"), "OS/ARCH"), (("m.wasm", "-o", "x", "--platform", "/"), "OS/ARCH"),
                        (("m.wasm", "-o", "x", "--platform", "a/b/c/d"), "OS/ARCH"), (("m.wasm", "-o", "x", "--platform", "a/b\n"), "OS/ARCH"),
                        (("m.wasm", "-o", "x", "--env", "A"), "K=V"), (("m.wasm", "-o", "x", "--label", "=b"), "K=V"),
                        (("m.wasm", "-o", "x", "--nothing"), "--nothing")):
        run("pack", *words).want(125, text, "--help'")
    for words, text in ((("--add", "m.wasm"), "HOST:PATH"), (("--add", "m.wasm:x"), "absolute"), (("--add", "m.wasm:/../x"), "cannot be"),
                        (("--add", "m.wasm:/x/.wh.y"), "cannot be"), (("--add", "m.wasm:/m.wasm"), "two files"),
                        (("--add", "m.wasm:/m.wasm/x"), "a file and a folder"), (("--add", "m.wasm:/"), "cannot be"),
                        (("--add", "/dev/null:/x"), "neither"), (("--entrypoint", "m.wasm"), "no such file"),
                        (("--entrypoint", "/x.wasm"), "no such file"), (("--workdir", "x"), "absolute"), (("m.wasm",), "two files")):
        run("pack", "m.wasm", "-o", "x", *words).want(125, text)
    run("pack", "m.wasm", "-o", "x", "--add", "nothing:/x").want(127, "nothing")
    # two files in a folder that two of them have asked for
    run("pack", "m.wasm", "-o", "x", "--add", "m.wasm:/a/x", "--add", "m.wasm:/a/x").want(125, "two files")
    run("pack", "m.wasm", "-o", "no/such/x").want(127, "no/such/x")
    run("pack", "m.wasm", "-o", ".").want(125, "Is a directory")
    done = subprocess.run([WASMRUN, "pack", "m.wasm", "-o", "x", b"--label=a=\xff"], capture_output=True)
    assert done.returncode == 125 and b"UTF-8" in done.stderr, done
    assert not os.path.exists("x")


@test
def links_in_a_folder_are_refused():
    with Folder():
        os.mkdir("d")
        os.symlink("/etc/hostname", "d/link")
        run("pack", "-", "-o", "x", "--add", "d:/d", stdin=MODULE).want(125, "d/link: neither")
        nothing_else("d")


@test
def output_is_replaced_whole_or_not_at_all():
    with Folder():
        write("old.tar", b"old")
        os.symlink("old.tar", "link.tar")
        run("pack", "-", "-o", "link.tar", stdin=b"no module").want(126)
        with open("old.tar", "rb") as file:
            assert file.read() == b"old"
            run("pack", "-", "-o", "link.tar", stdin=MODULE).want(0)
            file.seek(0)
            assert file.read() == b"old"  # whoever has it open keeps it
        with open("old.tar", "rb") as file:
            Packed(file.read())
        assert os.path.islink("link.tar") and os.stat("old.tar").st_mode & 0o777 == 0o644
        nothing_else("old.tar", "link.tar")


@test
def no_room_leaves_nothing():
    """A limit of the size of files stands for a full disk."""
    import resource
    import signal

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    with Folder():
        write("old.tar", b"old")
        done = subprocess.run([WASMRUN, "pack", "-", "-o", "old.tar"], input=MODULE, capture_output=True, preexec_fn=limit)
        assert done.returncode == 125 and b"File too large" in done.stderr, done
        with open("old.tar", "rb") as file:
            assert file.read() == b"old"
        nothing_else("old.tar")


# ---------------------------------------------------------------- other tools

@test
def skopeo_reads_it():
    if not shutil.which("skopeo"):
        raise Skip("skopeo is not installed")
    write("m.wasm", MODULE)
    with open("policy.json", "w", encoding="utf-8") as file:
        json.dump({"default": [{"type": "insecureAcceptAnything"}]}, file)
    for form, kinds in (("oci", ("oci-archive", "docker-archive")), ("artifact", ("oci-archive",))):
        packed = pack("m.wasm", "--format", form)
        for kind in kinds:
            done = subprocess.run(["skopeo", "copy", "--policy", "policy.json", "--tmpdir", ".", f"{kind}:out.tar",
                                   f"oci:{kind}-{form}:x"], capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            with open(f"{kind}-{form}/index.json", encoding="utf-8") as file:
                (row,) = json.load(file)["manifests"]
            blob = f"{kind}-{form}/blobs/sha256/" + row["digest"][7:]
            with open(blob, encoding="utf-8") as file:
                copied = json.load(file)
            with open(f"{kind}-{form}/blobs/sha256/" + copied["config"]["digest"][7:], encoding="utf-8") as file:
                config = json.load(file)  # from docker's form it is written anew
            assert (config["architecture"], config["os"]) == ("wasm", "wasip1"), config
            assert form == "artifact" or config["config"]["Entrypoint"] == ["/m.wasm"], config
            if kind == "oci-archive":  # copying compresses layers: the manifest itself, then
                done = subprocess.run(["skopeo", "inspect", "--policy", "policy.json", "--raw", f"{kind}:out.tar"],
                                      capture_output=True, timeout=120)
                assert done.stdout == packed.blob(packed.row, KIND + "manifest.v1+json"), done


if __name__ == "__main__":
    sys.exit(main())
