# SPDX-License-Identifier: Apache-2.0
"""Images of one layer, written by hand as OCI archives for `ctr images import`: the guests in an
image from scratch, busybox, and the pause container."""
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
GUESTS = "localhost/guests:1"
BUSYBOX = "localhost/busybox:1"
PAUSE = "localhost/pause:1"
APPLETS = ("sh", "sleep", "cat", "echo", "id", "wget", "true", "ls", "ps", "stty", "kill", "env", "hostname")
# Compiled for the host too, so that other runtimes can be driven by the same tests.
PORTABLE = ("hello", "exit", "sleeper", "echo", "clock", "ticker", "files", "hostile", "environ")


def machine_arch():
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def tar_of(entries):
    """A tar file of (name, bytes | folder None | link as str, mode)."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data, mode in entries:
            info = tarfile.TarInfo(name)
            info.mode = mode
            if data is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(data, str):
                info.type, info.linkname = tarfile.SYMTYPE, data
            else:
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data) if isinstance(data, bytes) else None)
    return raw.getvalue()


def write_archive(path, name, entries, entrypoint, platform=None, **config):
    """One image called `name`; `platform`: ("linux", architecture) unless told otherwise; `config`:
    more of the image's configuration."""
    system, arch = platform or ("linux", machine_arch())
    blobs = {}

    def put(data):
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        digest = hashlib.sha256(raw).hexdigest()
        blobs[digest] = raw
        return {"digest": "sha256:" + digest, "size": len(raw)}

    kind = "application/vnd.oci.image."
    layer = put(tar_of(entries))
    described = put({"architecture": arch, "os": system,
                     "config": {"Entrypoint": entrypoint, "Env": ["PATH=/bin"], "WorkingDir": "/", **config},
                     "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}})
    manifest = put({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
                    "config": {"mediaType": kind + "config.v1+json", **described},
                    "layers": [{"mediaType": kind + "layer.v1.tar", **layer}]})
    index = {"schemaVersion": 2, "mediaType": kind + "index.v1+json", "manifests": [
        {"mediaType": kind + "manifest.v1+json", **manifest,
         "platform": {"architecture": arch, "os": system},
         "annotations": {"io.containerd.image.name": name,
                         "org.opencontainers.image.ref.name": name.rsplit(":", 1)[1]}}]}
    files = [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}', 0o644),
             ("index.json", json.dumps(index).encode(), 0o644)]
    files += [("blobs/sha256/" + digest, raw, 0o644) for digest, raw in blobs.items()]
    with open(path, "wb") as file:
        file.write(tar_of(files))


def compile_static(source, out):
    subprocess.run(["cc", "-static", "-O2", "-w", "-o", out, source], check=True)


def guest_files(build, native):
    """(name, bytes) of every guest; with `native` the portable ones for the host beside them."""
    folder = os.path.join(build, "live")
    found = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".wasm"):
            with open(os.path.join(folder, name), "rb") as file:
                found.append((name, file.read()))
    for name in PORTABLE if native else ():
        out = os.path.join(folder, name)
        source = os.path.join(HERE, "guests", name + ".c")
        if not os.path.exists(out) or os.path.getmtime(out) < os.path.getmtime(source):
            compile_static(source, f"{out}.{os.getpid()}")
            os.rename(f"{out}.{os.getpid()}", out)
        with open(out, "rb") as file:
            found.append((name, file.read()))
    return found


def guest_entries(build, native):
    """Layer of the guests' image: they, data, and links that lead out."""
    links = [("out", "/proc/self/root/etc/shadow"), ("up", "../../../../etc/shadow"), ("abs", "/etc/shadow"),
             ("host", "../../../../../proc/1/environ")]
    return [(name, raw, 0o755) for name, raw in guest_files(build, native)] + [
        ("etc", None, 0o755), ("etc/passwd", b"root:x:0:0:root:/:/\nguest:x:1000:1000::/:/\n", 0o644),
        ("etc/group", b"root:x:0:\nguest:x:1000:\n", 0o644), ("data", b"in the image\n", 0o644),
        ("tmp", None, 0o777), ("bad.wasm", b"\0asm\1\0\0\0\xff\xff", 0o755), ("links", None, 0o755)] + [
        ("links/" + name, target, 0o777) for name, target in links]


def busybox_entries():
    with open(shutil.which("busybox"), "rb") as file:
        raw = file.read()
    return [("bin", None, 0o755), ("bin/busybox", raw, 0o755), ("etc", None, 0o755), ("tmp", None, 0o777),
            ("etc/passwd", b"root:x:0:0:root:/:/bin/sh\n", 0o644), ("etc/group", b"root:x:0:\n", 0o644)] + [
        ("bin/" + name, "busybox", 0o777) for name in APPLETS]


def pause_entries(scratch):
    out = os.path.join(scratch, "pause")
    compile_static(os.path.join(HERE, "pause.c"), out)
    with open(out, "rb") as file:
        return [("pause", file.read(), 0o755)]


def unpack(entries, folder):
    """The same entries as a root file system on disk."""
    for name, data, mode in entries:
        path = os.path.join(folder, name)
        if data is None:
            os.makedirs(path, exist_ok=True)
            os.chmod(path, mode)
        elif isinstance(data, str):
            os.symlink(data, path)
        else:
            with open(path, "wb") as file:
                file.write(data)
            os.chmod(path, mode)
