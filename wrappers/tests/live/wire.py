# SPDX-License-Identifier: Apache-2.0
"""Protobuf messages compiled when they are needed, and ttrpc: a client, and a server that receives
events as containerd does and keeps their order."""
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import images
import machine

HERE = os.path.dirname(os.path.abspath(__file__))
TASKS = os.path.join(HERE, "..", "..", "shim", "proto")
POOLS = {}


def pool(*files):
    """A descriptor pool of .proto files of this folder or the shim's."""
    from google.protobuf import descriptor_pb2, descriptor_pool
    if files not in POOLS:
        out = f"{machine.BASE}/{'+'.join(files)}.ds"
        subprocess.run(["protoc", f"-I{HERE}", f"-I{TASKS}", "--include_imports", f"--descriptor_set_out={out}",
                        *files], check=True)
        made = descriptor_pool.DescriptorPool()
        with open(out, "rb") as file:
            for one in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
                made.Add(one)
        POOLS[files] = made
    return POOLS[files]


def message(where, name):
    from google.protobuf import message_factory
    return message_factory.MessageFactory(where).GetPrototype(where.FindMessageTypeByName(name))


def peer(name):
    """A message of peer.proto."""
    return message(pool("peer.proto"), "peer." + name)


def task(name):
    """A message of the task service."""
    return message(pool("task.proto"), "task." + name)


REQUEST, RESPONSE = 1, 2


class Refused(Exception):
    """An error answer; `code` as in gRPC."""

    def __init__(self, status):
        super().__init__(f"{status.code}: {status.message}")
        self.code = status.code


def read_exactly(stream, size):
    data = b""
    while len(data) < size:
        part = stream.recv(size - len(data))
        if not part:
            raise ConnectionError("closed by the other side")
        data += part
    return data


def read_frame(stream):
    """(stream id, type, payload)"""
    size, ident, kind, _ = struct.unpack(">IIBB", read_exactly(stream, 10))
    return ident, kind, read_exactly(stream, size)


def frame(ident, kind, payload, flags=0):
    return struct.pack(">IIBB", len(payload), ident, kind, flags) + payload


class Client:
    """One connection; calls may overlap: send, then answer in any order."""

    def __init__(self, address, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(address[7:] if address.startswith("unix://") else address)
        self.next, self.answers = 1, {}
        self.request, self.response = peer("Request"), peer("Response")

    def close(self):
        self.socket.close()

    def prepare(self, service, method, payload=b"", metadata=None):
        """A call that is not sent yet: (its number, its bytes), for post."""
        ident, self.next = self.next, self.next + 2
        rows = [{"key": key, "value": value} for key, value in (metadata or {}).items()]
        text = self.request(service=service, method=method, payload=payload, metadata=rows).SerializeToString()
        return ident, frame(ident, REQUEST, text)

    def post(self, call):
        self.socket.sendall(call[1])
        return call[0]

    def send(self, service, method, payload=b"", metadata=None):
        return self.post(self.prepare(service, method, payload, metadata))

    def answer(self, ident):
        """The payload; Refused when it is an error."""
        while ident not in self.answers:
            got, kind, payload = read_frame(self.socket)
            assert kind == RESPONSE, f"a frame of type {kind}"
            self.answers[got] = self.response.FromString(payload)
        response = self.answers.pop(ident)
        if response.HasField("status") and response.status.code:
            raise Refused(response.status)
        return response.payload

    def call(self, service, method, payload=b"", metadata=None):
        return self.answer(self.send(service, method, payload, metadata))


class Caller:
    """calls.c: a connection whose prepared calls are made one after the other and timed, without
    Python between them."""

    def __init__(self, address):
        binary = f"{machine.BASE}/calls"
        if not os.path.exists(binary):
            images.compile_static(os.path.join(HERE, "calls.c"), binary)
        address = address[7:] if address.startswith("unix://") else address
        self.process = subprocess.Popen([binary, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, calls):
        """(time.time_ns() of the first byte, [(ns from there to the answer, payload)]); `calls`: of
        Client.prepare. Refused when an answer is an error."""
        batch = [struct.pack("=Q", len(calls))]
        for _, data in calls:
            batch += [struct.pack("=Q", len(data)), data]
        self.process.stdin.write(b"".join(batch))
        self.process.stdin.flush()
        begun, answers = self.number(), []
        for _ in calls:
            after, size = self.number(), self.number()
            answers.append((after, peer("Response").FromString(self.process.stdout.read(size))))
        for _, response in answers:
            if response.HasField("status") and response.status.code:
                raise Refused(response.status)
        return begun, [(after, response.payload) for after, response in answers]

    def number(self):
        return struct.unpack("=Q", self.process.stdout.read(8))[0]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class EventSink:
    """In place of an EventServer when times are measured: a process of its own that thanks for every
    event, so that no thread here waits for this interpreter's lock."""

    def __init__(self, path):
        self.path, self.problems = path, []
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(64)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self.serve(listener)
            except BaseException as problem:  # as it is, for whoever waits for an event's answer
                print(f"note: no more events are taken: {problem!r}", flush=True)
            os._exit(1)
        listener.close()
        machine.OWN.add(self.pid)

    def serve(self, listener):
        answer = peer("Response")(status={"code": 0}).SerializeToString()
        streams = [listener]
        while True:
            for stream in select.select(streams, [], [])[0]:
                if stream is listener:
                    streams.append(listener.accept()[0])
                    continue
                try:
                    stream.sendall(frame(read_frame(stream)[0], RESPONSE, answer))
                except OSError:
                    streams.remove(stream)
                    stream.close()

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.unlink(self.path)


class EventServer:
    """containerd's socket for events: rows of (time, topic's last word, event)."""
    KINDS = {"create": "TaskCreate", "start": "TaskStart", "exit": "TaskExit", "delete": "TaskDelete",
             "oom": "TaskOOM", "exec-added": "TaskExecAdded", "exec-started": "TaskExecStarted",
             "paused": "TaskPaused", "resumed": "TaskResumed"}

    def __init__(self, path):
        self.path, self.rows, self.problems, self.open = path, [], [], []
        self.listener = None
        self.listen()

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close(self):
        """As when containerd is killed: nobody listens, connections end."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.path)
        for stream in self.open:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open.clear()

    def accept(self, listener):
        while True:
            try:
                stream, _ = listener.accept()
            except OSError:
                return
            self.open.append(stream)
            threading.Thread(target=self.serve, args=(stream,), daemon=True).start()

    def serve(self, stream):
        try:
            while True:
                ident, kind, payload = read_frame(stream)
                try:
                    self.record(kind, payload)
                except Exception as problem:  # a message that we can't read is a finding
                    self.problems.append(repr(problem))
                answer = peer("Response")(status={"code": 0}).SerializeToString()
                stream.sendall(frame(ident, RESPONSE, answer))
        except OSError:
            stream.close()

    def record(self, kind, payload):
        request = peer("Request").FromString(payload)
        named = (kind, request.service, request.method)
        assert named == (REQUEST, "containerd.services.events.ttrpc.v1.Events", "Forward"), named
        envelope = peer("ForwardRequest").FromString(request.payload).envelope
        word = envelope.topic.rsplit("/", 1)[1]
        assert envelope.topic == "/tasks/" + word, envelope.topic
        name = self.KINDS[word]
        assert envelope.event.type_url.rsplit("/", 1)[-1] == "containerd.events." + name, envelope.event.type_url
        assert envelope.timestamp.seconds > 0 and envelope.namespace, envelope
        self.rows.append((time.monotonic(), word, peer(name).FromString(envelope.event.value)))

    def of(self, ident):
        """[(word, event)] of a container, in the order in which they came."""
        return [(word, event) for _, word, event in list(self.rows) if event.container_id == ident]

    def order(self, ident):
        """The words alone, without repetitions: an event is told again when the answer to the first
        time was lost with the connection."""
        words = [word for word, _ in self.of(ident)]
        return [word for i, word in enumerate(words) if i == 0 or word != words[i - 1]]
