#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spans for OpenTelemetry's collectors: what is sent by HTTP and gRPC, to whom it belongs, and
collectors that refuse, hang, hang up or talk nonsense."""
import http.server
import os
import socket
import sys
import threading
import time
from concurrent import futures

import harness
import machine
import wire
from harness import Skip, case, wait_for
from node import Node
from shims import TASK_V2, Lab

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Collector:
    """A collector on a port of its own; a with-statement."""

    def __init__(self, status=200):
        self.status, self.requests, self.headers = status, [], []

    def take(self, body, headers):
        self.requests.append(wire.message(wire.pool("otlp.proto"), "otlp.ExportRequest").FromString(body))
        self.headers.append(headers)

    def spans(self):
        return [span for request in self.requests for resource in request.resource_spans
                for scope in resource.scope_spans for span in scope.spans]

    def wait_for(self, *names):
        """The first spans of these names, when all have come."""
        def found():
            rows = {span.name.rsplit("/", 1)[-1]: span for span in reversed(self.spans())}
            return rows if all(name in rows for name in names) else None
        return wait_for(f"spans {names}; there are {[span.name for span in self.spans()]}", found)


class Http(Collector):
    def __enter__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.take(body, {"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Grpc(Collector):
    def __enter__(self):
        import grpc
        outer = self

        class Handler(grpc.GenericRpcHandler):
            def service(self, details):
                def export(body, context):
                    outer.take(body, dict(context.invocation_metadata()))
                    if outer.status != 200:
                        context.abort(grpc.StatusCode.UNAVAILABLE, "not today")
                    return b""
                return grpc.unary_unary_rpc_method_handler(export) if details.method == EXPORT else None
        self.server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[Handler()])
        self.url = f"http://127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(0).wait()


def asking(url, **more):
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "50", **more}


def attributes(rows):
    return {row.key: row.value.string_value or row.value.int_value for row in rows}


def life(lab, environment, traceparent=TRACEPARENT, words=None):
    """A shim and a task from Create to Delete; the guest's output and its exit code."""
    shim = lab.shim(words or [lab.program("environ")], environment=environment)
    metadata = {"traceparent": traceparent} if traceparent else None
    task = shim.task(metadata=metadata)
    shim.call("Start", None, "StartRequest", metadata, id=shim.id)
    code = shim.call("Wait", "WaitResponse", "WaitRequest", metadata, id=shim.id).exit_status
    text = wait_for("the guest's output", task.out.read).decode()
    task.finish(0)
    return shim, text, code


def traceparent_of(text):
    return [line[12:] for line in text.splitlines() if line.startswith("TRACEPARENT=")]


# ---------------------------------------------------------------- what is sent

def check_life(spans, text, code, trace, root):
    """Which span is within which, and what they say."""
    spans = {name: spans[name] for name in NAMES if name != "Delete"}  # which was not asked with a trace
    assert {span.trace_id.hex() for span in spans.values()} == {trace}, spans
    ids = {name: span.span_id.hex() for name, span in spans.items()}
    parents = {name: span.parent_span_id.hex() for name, span in spans.items()}
    for name in ("Create", "Start", "Wait"):
        assert parents[name] == root, parents
    for name in ("wasmrun.config", "wasmrun.sandbox", "wasmrun.container"):
        assert parents[name] == ids["Create"], parents
    assert traceparent_of(text) == [f"00-{trace}-{ids['wasmrun.container']}-01"], text
    create, container = spans["Create"], spans["wasmrun.container"]
    assert create.name == TASK_V2 + "/Create" and create.kind == 2, create
    said = attributes(create.attributes)
    assert said == {"rpc.system": "ttrpc", "rpc.service": TASK_V2, "rpc.method": "Create",
                    "rpc.grpc.status_code": 0}, said
    assert attributes(container.attributes)["process.exit.code"] == code, container
    assert attributes(spans["wasmrun.sandbox"].attributes) == {"wasmrun.kind": "wasm"}, spans
    for span in spans.values():
        assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano <= time.time_ns(), span
    sandbox = spans["wasmrun.sandbox"]
    assert create.start_time_unix_nano <= spans["wasmrun.config"].start_time_unix_nano, spans
    assert spans["wasmrun.config"].end_time_unix_nano <= sandbox.start_time_unix_nano, spans
    assert sandbox.end_time_unix_nano <= spans["Start"].end_time_unix_nano, spans
    assert container.end_time_unix_nano >= spans["Start"].start_time_unix_nano, spans


NAMES = ("Create", "Start", "Wait", "Delete", "wasmrun.config", "wasmrun.sandbox", "wasmrun.container")


@case
def a_life_by_http(lab):
    with Http() as collector:
        environment = asking(collector.url, OTEL_EXPORTER_OTLP_HEADERS="x-key=a%20b", OTEL_SERVICE_NAME="pods",
                             OTEL_RESOURCE_ATTRIBUTES="k8s.node.name=n1,service.name=other")
        shim, text, code = life(lab, environment)
        check_life(collector.wait_for(*NAMES), text, code, TRACE, PARENT)
        headers = collector.headers[0]
        assert headers["path"] == "/v1/traces" and headers["content-type"] == "application/x-protobuf", headers
        assert headers["x-key"] == "a b", headers
        said = attributes(collector.requests[0].resource_spans[0].resource.attributes)
        assert said.pop("service.version"), said
        assert said == {"service.name": "pods", "k8s.node.name": "n1", "process.pid": shim.pid,
                        "containerd.namespace": machine.group()}, said
        shim.end()
    assert "OTEL_" not in text, "containerd's environment is no guest's"


@case
def a_life_by_grpc(lab):
    with Grpc() as collector:
        shim, text, code = life(lab, asking(collector.url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
                                            OTEL_EXPORTER_OTLP_HEADERS="X-Key=7"))
        check_life(collector.wait_for(*NAMES), text, code, TRACE, PARENT)
        assert collector.headers[0]["x-key"] == "7", collector.headers
        shim.end()


@case
def without_a_caller_each_call_is_a_trace(lab):
    with Http() as collector:
        shim, text, _ = life(lab, asking(collector.url), None)
        spans = collector.wait_for(*NAMES)
        assert spans["Create"].parent_span_id == b"", spans
        assert spans["Create"].trace_id != spans["Start"].trace_id, spans
        assert traceparent_of(text)[0].split("-")[1] == spans["Create"].trace_id.hex(), text
        shim.end()


@case
def errors_are_in_spans(lab):
    with Http() as collector:
        shim = lab.shim(environment=asking(collector.url))
        for function in (lambda: shim.call("Create", None, "CreateTaskRequest", {"traceparent": TRACEPARENT}, id="no",
                                           bundle=f"{lab.home}/none"),
                         lambda: shim.call("State", None, "IdRequest", {"traceparent": TRACEPARENT}, id="nobody")):
            try:
                function()
                raise AssertionError("it was not refused")
            except wire.Refused:
                pass
        spans = collector.wait_for("Create", "State", "wasmrun.config")
        assert spans["State"].status.code == 2 and "nobody" in spans["State"].status.message, spans["State"]
        assert attributes(spans["State"].attributes)["rpc.grpc.status_code"] == 5, spans["State"]
        assert spans["wasmrun.config"].status.code == 2, spans["wasmrun.config"]
        shim.end()


@case
def who_is_not_sampled_is_not_sent(lab):
    with Http() as collector:
        shim, text, _ = life(lab, asking(collector.url), TRACEPARENT[:-1] + "0")
        assert traceparent_of(text) == [TRACEPARENT[:-1] + "0"], text
        shim.end()
        time.sleep(0.3)
        names = [span.name for span in collector.spans() if span.trace_id.hex() == TRACE]
        assert names == [], names


@case
def what_is_left_is_sent_at_the_end(lab):
    with Http() as collector:
        shim, _, _ = life(lab, asking(collector.url, OTEL_BSP_SCHEDULE_DELAY="600000"))
        assert collector.requests == []
        shim.end()
        collector.wait_for(*NAMES)


@case
def nobody_asks(lab):
    with Http() as collector:
        for more in ({}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}):
            shim, text, _ = life(lab, asking(collector.url, **more) if more else {})
            assert traceparent_of(text) == [TRACEPARENT], text
            assert "spans" not in lab.said(shim.id)
            shim.end()
        time.sleep(0.2)
        assert collector.requests == []


@case
def containerd_passes_the_environment_on(lab):
    if machine.view() == "v2" and "cpu" not in machine.v2_controllers():
        raise Skip("this host limits no processors by cgroup v2, which ctr asks for")
    with Http() as collector:
        os.environ.update(asking(collector.url))
        try:
            with Node(lab.options, name="otel") as node:
                done = node.run("exit", "3")
                assert done.returncode == 3, done
                spans = collector.wait_for(*NAMES)
                assert attributes(spans["wasmrun.container"].attributes)["process.exit.code"] == 3, spans
        finally:
            for name in asking(""):
                del os.environ[name]


# ---------------------------------------------------------------- collectors that are not well

class Raw:
    """Sends `answer` to whoever has sent something; None: silence. A with-statement."""

    def __init__(self, answer):
        self.answer, self.open = answer, []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def serve(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(stream)
            if self.answer is not None:
                threading.Thread(target=self.say, args=(stream,), daemon=True).start()

    def say(self, stream):
        """Reads to the end: a socket that is closed with unread bytes resets its connection."""
        try:
            stream.recv(100)
            stream.sendall(self.answer)
            stream.shutdown(socket.SHUT_WR)
            while stream.recv(4096):
                pass
        except OSError:
            pass
        stream.close()

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for stream in self.open:
            stream.close()


def goes_on(lab, environment, text):
    """Tasks run as ever, one line in the log has `text`, and the shim ends at once."""
    shim, _, code = life(lab, environment)
    assert code == 0
    said = []

    def told():
        said.append(lab.said(shim.id))
        return text in "".join(said)
    wait_for(f"{text!r} in the log; it says {said}", told)
    task = shim.task(ident=lab.name(), words=[lab.program("hello")])
    task.start()
    assert task.finish(0) == 0
    shim.end()
    said.append(lab.said(shim.id))
    assert "".join(said).count("spans can't be sent") == 1, said


@case
def collectors_that_refuse_or_talk_nonsense(lab):
    with Http(503) as collector:
        goes_on(lab, asking(collector.url), "HTTP status 503")
    with Grpc(503) as collector:
        goes_on(lab, asking(collector.url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc"), "not today")
    for answer, text in ((b"SSH-2.0-x\r\n", "not an answer of HTTP/1"), (b"", "answer"), (b"HTTP/1.1 2", "answer")):
        with Raw(answer) as collector:
            goes_on(lab, asking(collector.url), text)
    with Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n") as collector:
        goes_on(lab, asking(collector.url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc"), "HTTP/2")
    goes_on(lab, asking("http://127.0.0.1:1"), "Connection refused")
    goes_on(lab, asking("http://no-such-host.invalid:4318"), "no-such-host.invalid")


@case
def a_silent_collector_delays_nobody(lab):
    with Raw(None) as collector:
        goes_on(lab, asking(collector.url, OTEL_EXPORTER_OTLP_TIMEOUT="300"), "not taken in time")
        shim, _, _ = life(lab, asking(collector.url, OTEL_EXPORTER_OTLP_TIMEOUT="2000"))
        shim.end()  # its helper ends later, by itself
        wait_for("the helpers' end", lambda: not machine.with_words("-id", shim.id))


@case
def what_can_not_be_is_said(lab):
    for environment, text in ((asking("https://localhost:4318"), "no TLS"), (asking("localhost:4318"), "http:// URL"),
                              (asking("http://localhost", OTEL_EXPORTER_OTLP_PROTOCOL="http/json"), "http/json"),
                              (asking("http://localhost", OTEL_TRACES_EXPORTER="zipkin"), "zipkin")):
        shim, seen, _ = life(lab, environment)
        assert traceparent_of(seen) == [TRACEPARENT], seen
        said = lab.said(shim.id)
        assert said.count(text) == 1, said
        shim.end()


sys.exit(harness.main(__doc__, Lab, controllers=()))
