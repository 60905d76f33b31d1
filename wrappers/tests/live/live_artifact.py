#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Containers whose image is a Wasm artifact. containerd 1.6 cannot unpack one: the container is made
from an image of nothing, whose name then becomes the artifact's."""
import hashlib
import json
import os
import subprocess
import sys

import harness
import images
from harness import case
from node import RUNTIMES, Node

OCI = "application/vnd.oci.image."
OLDER = ("application/vnd.wasm.content.layer.v1+wasm", "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm")


def guest(node, name):
    with open(f"{node.options.build}/live/{name}.wasm", "rb") as file:
        return file.read()


def import_tar(node, entries):
    path = f"{node.home}/artifact.tar"
    with open(path, "wb") as file:
        file.write(images.tar_of(entries))
    node.ok("images", "import", "--all-platforms", "--no-unpack", path)


def import_layers(node, name, layers, config=b"{}"):
    """An image whose layers are of any type: (media type, bytes)."""
    rows = [("application/vnd.wasm.config.v0+json", config)] + layers
    blobs = [{"mediaType": kind, "digest": "sha256:" + hashlib.sha256(raw).hexdigest(), "size": len(raw)}
             for kind, raw in rows]
    manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": blobs[0],
                           "layers": blobs[1:]}).encode()
    digest = hashlib.sha256(manifest).hexdigest()
    index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [
        {"mediaType": OCI + "manifest.v1+json", "digest": "sha256:" + digest, "size": len(manifest),
         "annotations": {"io.containerd.image.name": name}}]}
    files = [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}', 0o644), ("index.json", json.dumps(index).encode(), 0o644),
             ("blobs/sha256/" + digest, manifest, 0o644)]
    files += [("blobs/sha256/" + row["digest"][7:], raw, 0o644) for row, (_, raw) in zip(blobs, rows)]
    import_tar(node, files)


def create(node, artifact, *words, options=()):
    """A container of an artifact; its id."""
    ident = node.name("artifact")
    image = f"localhost/{ident}:1"
    node.import_image(image, [("etc", None, 0o755)], ["/none"])
    node.ok("containers", "create", "--runtime", RUNTIMES["wasmrun"], "--snapshotter", node.snapshotter, *options, image,
            ident, *words)
    node.ok("images", "tag", "--force", artifact, image)
    return ident


def run(node, artifact, *words, options=()):
    ident = create(node, artifact, *words, options=options)
    done = node.ctr("tasks", "start", ident)
    node.remove(ident)
    return done


def pack(node, name, module="hello", *more):
    path = f"{node.home}/packed.tar"
    subprocess.run([node.options.binary("wasmrun"), "pack", f"{node.options.build}/live/{module}.wasm", "--format",
                    "artifact", "--ref", name, "-o", path, *more], check=True)
    node.ok("images", "import", "--all-platforms", "--no-unpack", path)


@case(wasm=True)
def an_artifact_that_wasmrun_has_packed(node):
    pack(node, "localhost/hello:a")
    done = run(node, "localhost/hello:a", "/hello.wasm", "one", "two words", options=("--env", "WHO=artifact"))
    assert (done.returncode, done.stdout) == (0, b"hello artifact one two words\n"), done


@case(wasm=True)
def exit_codes_and_any_name(node):
    pack(node, "localhost/exit:a", "exit")
    for name in ("exit.wasm", "/whatever", "/deep/in/it.wasm#_start"):
        done = run(node, "localhost/exit:a", name, "3")
        assert done.returncode == 3, (name, done)


@case(wasm=True)
def the_older_media_types(node):
    for i, kind in enumerate(OLDER):
        import_layers(node, f"localhost/older:{i}", [(kind, guest(node, "hello"))])
        done = run(node, f"localhost/older:{i}", "/hello.wasm")
        assert (done.returncode, done.stdout) == (0, b"hello world\n"), (kind, done)


@case(wasm=True)
def an_index_of_platforms(node):
    """The manifest for Wasm is taken, not the one for this machine."""
    rows, files = [], []
    for arch, module in ((images.machine_arch(), "exit"), ("wasm", "hello")):
        raw = guest(node, module)
        layer = {"mediaType": "application/wasm", "digest": "sha256:" + hashlib.sha256(raw).hexdigest(), "size": len(raw)}
        config = {"mediaType": "application/vnd.wasm.config.v0+json", "size": 2,
                  "digest": "sha256:" + hashlib.sha256(b"{}").hexdigest()}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config,
                               "layers": [layer]}).encode()
        digest = hashlib.sha256(manifest).hexdigest()
        rows.append({"mediaType": OCI + "manifest.v1+json", "digest": "sha256:" + digest, "size": len(manifest),
                     "platform": {"os": "wasip1" if arch == "wasm" else "linux", "architecture": arch}})
        files += [("blobs/sha256/" + digest, manifest, 0o644), ("blobs/sha256/" + layer["digest"][7:], raw, 0o644)]
    inner = json.dumps({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": rows}).encode()
    digest = hashlib.sha256(inner).hexdigest()
    outer = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [
        {"mediaType": OCI + "index.v1+json", "digest": "sha256:" + digest, "size": len(inner),
         "annotations": {"io.containerd.image.name": "localhost/index:1"}}]}
    files += [("blobs/sha256/" + digest, inner, 0o644), ("index.json", json.dumps(outer).encode(), 0o644),
              ("blobs/sha256/" + hashlib.sha256(b"{}").hexdigest(), b"{}", 0o644),
              ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}', 0o644)]
    import_tar(node, files)
    done = run(node, "localhost/index:1", "/hello.wasm")
    assert (done.returncode, done.stdout) == (0, b"hello world\n"), done


@case(wasm=True)
def errors_name_what_is_wrong(node):
    raw = guest(node, "hello")
    component = b"\0asm\x0d\0\x01\0"
    for i, (layers, text) in enumerate((
            ([("application/wasm", raw), ("application/wasm", raw + b"\0\2\1x")], b"2 Wasm layers"),
            ([("application/wasm", component)], b"component"), ([(OLDER[1], component)], b"component"),
            ([("application/wasm", b"\0asm\1\0\0\0\xff\xff")], b"malformed"),
            ([("application/octet-stream", raw)], b"No such file"))):
        import_layers(node, f"localhost/wrong:{i}", layers)
        done = run(node, f"localhost/wrong:{i}", "/hello.wasm")
        assert done.returncode != 0 and text in done.stderr, (text, done)
        assert b"hello.wasm" in done.stderr, done


@case(wasm=True)
def exec_of_the_same_program(node):
    pack(node, "localhost/sleeper:a", "sleeper")
    ident = create(node, "localhost/sleeper:a", "/sleeper.wasm")
    out = f"{node.home}/{ident}.log"
    node.ok("tasks", "start", "-d", "--log-uri", f"file://{out}", ident)
    harness.wait_for("its words", lambda: os.path.exists(out) and b"up" in open(out, "rb").read())
    done = node.ctr("tasks", "exec", "--exec-id", "x", ident, "/other.wasm")
    assert done.returncode != 0 and b"other.wasm" in done.stderr + done.stdout, done
    child = node.popen("tasks", "exec", "--exec-id", "y", ident, "/sleeper.wasm", stdout=subprocess.PIPE)
    assert b"up" in child.stdout.readline()
    node.ok("tasks", "kill", "-s", "SIGKILL", ident)
    child.wait(20)
    node.wait_status(ident, "STOPPED")
    node.remove(ident)


if __name__ == "__main__":
    sys.exit(harness.main(__doc__, Node))
