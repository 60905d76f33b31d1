# SPDX-License-Identifier: Apache-2.0
"""A containerd that is asked for artifacts, for tests: `fake_containerd.py FOLDER NAMESPACE` serves
FOLDER/grpc.sock, where the container's id says what goes wrong, and FOLDER/raw-NAME.sock, where a peer
that knows no HTTP/2 answers. Prints "ready"; ends when its standard input does."""
import hashlib
import json
import os
import socket
import struct
import sys
import threading
import time
from concurrent import futures

try:
    import grpc
except ImportError:
    print("no grpc", flush=True)
    sys.exit(0)

SERVICES = "containerd.services."
MODULE = b"\0asm\1\0\0\0" + bytes(range(256)) * 1000
OCI = "application/vnd.oci.image."
BLOBS, IMAGES = {}, {}


# ---------------------------------------------------------------- messages

def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def first_string(raw):
    """Field 1 of a request, whose length is below 128."""
    assert raw[:1] == b"\n" and raw[1] < 0x80, raw
    return raw[2:2 + raw[1]].decode()


# ---------------------------------------------------------------- what there is

def put(raw, kind, size=None):
    digest = "sha256:" + hashlib.sha256(raw).hexdigest()
    BLOBS[digest] = raw
    return {"mediaType": kind, "digest": digest, "size": len(raw) if size is None else size}


def manifest(layers):
    return json.dumps({"schemaVersion": 2, "layers": layers}).encode()


def image(name, layers, kind=OCI + "manifest.v1+json"):
    IMAGES[name] = put(layers if isinstance(layers, bytes) else manifest(layers), kind)


def fill():
    good = put(MODULE, "application/wasm")
    for name in ("good", "small-pieces", "wrong-bytes", "short", "long", "endless", "empty-pieces", "dripping", "shuffled",
                 "denied-content", "no-content", "bad-piece", "unknown-field"):
        image(name, [dict(good, annotations={"case": name})])
    image("huge", [dict(good, size=1 << 40)])
    image("larger", [dict(good, size=len(MODULE) + 1)])
    image("smaller", [dict(good, size=len(MODULE) - 1)])
    image("negative", [dict(good, size=-1)])
    image("two", [good, good])
    image("none", [dict(good, mediaType="application/octet-stream")])
    image("other-digest", [dict(good, digest="sha512:" + "0" * 128)])
    image("bad-digest", [dict(good, digest="sha256:../../etc")])
    image("bad-json", b"{")
    image("deep-json", b"[" * 100000)
    image("an-array", b"[]")
    image("strange", [None, 1, "x", {"mediaType": 1}, {"mediaType": "application/wasm"}])
    row = put(manifest([good]), OCI + "manifest.v1+json")
    for name in ("index", "index-2", "index-3", "index-4"):
        image(name, json.dumps({"manifests": [{"mediaType": "x"}, row]}).encode(), OCI + "index.v1+json")
        row = IMAGES[name]
    IMAGES["other-image"] = dict(row, mediaType="application/vnd.example")
    IMAGES["huge-manifest"] = dict(row, size=1 << 30)
    image("empty-module", [put(b"", "application/wasm")])


# ---------------------------------------------------------------- services

def get_container(raw, context):
    name = first_string(raw)
    assert ("containerd-namespace", sys.argv[2]) in tuple(context.invocation_metadata())
    if name == "no-container":
        context.abort(grpc.StatusCode.NOT_FOUND, "no such container")
    if name == "denied":
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "100% denied\u2026\nnext line")
    if name == "bad-message":
        return b"\xff\xff\xff"
    if name == "bad-text":
        return field(1, field(1, name) + field(3, b"\xff\xfe"))
    if name == "large-message":
        return field(1, field(3, name) + field(99, bytes(20 << 20)))
    if name in ("silent", "given-up"):
        time.sleep(30)
    return field(1, field(1, name) + field(3, "" if name == "no-image" else name) + field(77, b"new"))


def get_image(raw, context):
    name = first_string(raw)
    row = IMAGES.get(name)
    if not row:
        context.abort(grpc.StatusCode.NOT_FOUND, "no such image")
    target = field(1, row["mediaType"]) + field(2, row["digest"]) + field(3, row["size"])
    return field(1, field(1, name) + field(3, target))


def pieces(raw, size):
    for at in range(0, len(raw), size):
        yield field(1, at) + field(2, raw[at:at + size])


def read_content(raw, context):
    digest = first_string(raw)
    blob = BLOBS.get(digest)
    if blob is None:
        context.abort(grpc.StatusCode.NOT_FOUND, "no such content")
    if blob[:1] == b"{":  # the next layer is read as its manifest says
        CASE[0] = json.loads(blob)["layers"][0]["annotations"]["case"] if b'"case"' in blob else ""
    case = CASE[0] if blob is MODULE else ""
    if case == "denied-content":
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "not this one")
    if case == "no-content":
        return
    if case == "bad-piece":
        yield b"\x08"
        return
    if case == "wrong-bytes":
        blob = blob[:-1] + b"x"
    if case == "short":
        blob = blob[:-1]
    if case == "long":
        blob += b"x"
    if case == "shuffled":
        yield from reversed(list(pieces(blob, 1 << 16)))
        return
    while case == "endless" and context.is_active():
        yield field(2, bytes(1 << 16))
    while case == "empty-pieces" and context.is_active():
        time.sleep(0.001)
        yield b""
    for piece in pieces(blob, 100 if case in ("small-pieces", "dripping") else 1 << 20):
        if case == "dripping":
            time.sleep(0.05)
        yield piece


CASE = [""]


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        unary = {"containers.v1.Containers/Get": get_container, "images.v1.Images/Get": get_image}
        name = details.method.removeprefix("/" + SERVICES)
        if name in unary:
            return grpc.unary_unary_rpc_method_handler(unary[name])
        if name == "content.v1.Content/Read":
            return grpc.unary_stream_rpc_method_handler(read_content)
        return None


# ---------------------------------------------------------------- no HTTP/2, or a strange one

def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


SETTINGS, OK_HEADERS = frame(4, 0, 0), frame(1, 4, 1, b"\x88")


def literal(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def raw_answers():
    """{name: bytes, or what yields bytes without an end}"""
    def forever(raw):
        while True:
            yield raw
    trailers = frame(1, 5, 1, literal(b"grpc-status", b"0"))
    return {
        "hangup": [], "garbage": [os.urandom(5000)], "http1": [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
        "goaway": [SETTINGS, frame(7, 0, 0, bytes(8))], "reset": [SETTINGS, frame(3, 0, 1, b"\0\0\0\7")],
        "pings": forever(SETTINGS + frame(6, 0, 0, bytes(8)) * 200), "settings": forever(SETTINGS * 200),
        "headers": forever(frame(1, 0, 1, b"\x88") + frame(9, 0, 1, literal(b"a", b"b") * 1000) * 100),
        "large-frame": [SETTINGS, b"\xff\xff\xff\0\0\0\0\0\1" + bytes(100000)],
        "large-message": [SETTINGS, OK_HEADERS, frame(0, 0, 1, b"\0\xff\xff\xff\xff" + bytes(100))],
        "compressed": [SETTINGS, OK_HEADERS, frame(0, 0, 1, b"\1\0\0\0\1x")],
        "half-message": [SETTINGS, OK_HEADERS, frame(0, 0, 1, b"\0\0\0\0\x09ab"), trailers],
        "no-status": [SETTINGS, OK_HEADERS, frame(0, 1, 1, b"")],
        "http-404": [SETTINGS, frame(1, 5, 1, b"\x8d")],
        "bad-hpack": [SETTINGS, frame(1, 5, 1, b"\xff\xff\xff\xff\xff\xff")],
        "status-999": [SETTINGS, OK_HEADERS, frame(1, 5, 1, literal(b"grpc-status", b"999") + literal(b"grpc-message", b"a%zzb%00%0a%4"))],
        "other-stream": [SETTINGS, frame(1, 4, 3, b"\x88")], "push": [SETTINGS, frame(5, 4, 1, struct.pack(">I", 2) + b"\x82")],
        "window": [SETTINGS, frame(8, 0, 0, struct.pack(">I", 0x7FFFFFFF))],
    }


def serve_raw(path, name):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()

    def answer(peer):
        try:
            peer.recv(100)
            time.sleep(0.05)
            for raw in raw_answers()[name]:
                peer.sendall(raw)
            if name == "goaway" or name not in ("large-frame", "other-stream", "window"):
                peer.shutdown(socket.SHUT_WR)
            while peer.recv(1 << 16):
                pass
        except OSError:
            pass
        peer.close()

    def loop():
        while True:
            threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()


def main():
    folder = sys.argv[1]
    fill()
    server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.max_send_message_length", -1)])
    server.add_generic_rpc_handlers((Handler(),))
    server.add_insecure_port(f"unix://{folder}/grpc.sock")
    server.start()
    for name in raw_answers():
        serve_raw(f"{folder}/raw-{name}.sock", name)
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)


main()
