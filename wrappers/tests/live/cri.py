# SPDX-License-Identifier: Apache-2.0
"""A client of containerd's CRI, as much of it as a kubelet uses: pods, containers, their logs. The
messages are compiled from cri.proto when a test begins."""
import contextlib
import json
import os

import images
import machine
import wire
from harness import wait_for
from node import Node


def connect(socket):
    """The runtime service: a method for each rpc, taking the request's members by name."""
    import grpc
    pool = wire.pool("cri.proto")
    service = pool.FindServiceByName("runtime.v1.RuntimeService")
    channel = grpc.insecure_channel("unix://" + socket, options=[("grpc.max_receive_message_length", 64 << 20)])

    class Runtime:
        close = staticmethod(channel.close)

    for method in service.methods:
        request = wire.message(pool, method.input_type.full_name)
        answer = wire.message(pool, method.output_type.full_name)
        send = channel.unary_unary(f"/{service.full_name}/{method.name}",
                                   request_serializer=request.SerializeToString,
                                   response_deserializer=answer.FromString)

        def call(_send=send, _request=request, rpc_timeout=60, **members):
            return _send(_request(**members), timeout=rpc_timeout)
        setattr(Runtime, method.name, staticmethod(call))
    return Runtime


NODE_NETWORK = {"network": 2, "pid": 1, "ipc": 0}
POD_NETWORK = {"network": 0, "pid": 1, "ipc": 0}


class Pod:
    """A pod and its containers; removed when the with-statement ends."""
    made = 0

    def __init__(self, runtime, handler, network=False, seccomp=True, **config):
        Pod.made += 1
        self.runtime, self.seccomp = runtime, seccomp
        uid = f"u{Pod.made}"
        self.logs = f"{machine.BASE}/logs/{uid}"
        os.makedirs(self.logs)
        self.space = POD_NETWORK if network else NODE_NETWORK
        self.config = {"metadata": {"name": "p" + uid, "uid": uid, "namespace": "default"},
                       "hostname": "p" + uid if network else "", "log_directory": self.logs,
                       "linux": {"cgroup_parent": f"/{machine.group()}/pod{uid}",
                                 "security_context": {"namespace_options": self.space}}, **config}
        self.id = ""
        self.handler = handler
        self.containers = []

    def __enter__(self):
        self.id = self.runtime.RunPodSandbox(config=self.config, runtime_handler=self.handler).pod_sandbox_id
        return self

    def __exit__(self, kind, *_):
        try:
            self.runtime.StopPodSandbox(pod_sandbox_id=self.id)
            self.runtime.RemovePodSandbox(pod_sandbox_id=self.id)
        except Exception:
            if kind is None:
                raise

    def ip(self):
        return self.runtime.PodSandboxStatus(pod_sandbox_id=self.id).status.network.ip

    def info(self):
        """containerd's own words about the sandbox."""
        return json.loads(self.runtime.PodSandboxStatus(pod_sandbox_id=self.id, verbose=True).info["info"])

    def create(self, words, image=images.GUESTS, resources=None, security=None, **config):
        """A container that is not started; security as pods of careful people have it."""
        name = f"c{len(self.containers) + 1}"
        context = {"no_new_privs": True, "namespace_options": self.space,
                   "seccomp": {"profile_type": 0 if self.seccomp else 1},
                   "masked_paths": ["/proc/kcore", "/proc/keys", "/sys/firmware"],
                   "readonly_paths": ["/proc/sys", "/proc/bus"], **(security or {})}
        full = {"metadata": {"name": name}, "image": {"image": image}, "command": words, "log_path": name + ".log",
                "linux": {"security_context": context, **({"resources": resources} if resources else {})}, **config}
        made = Container(self, name, self.runtime.CreateContainer(
            pod_sandbox_id=self.id, config=full, sandbox_config=self.config).container_id)
        self.containers.append(made)
        return made

    def start(self, words, **options):
        container = self.create(words, **options)
        container.start()
        return container


class Container:
    def __init__(self, pod, name, ident):
        self.pod, self.name, self.id, self.runtime = pod, name, ident, pod.runtime

    def start(self):
        self.runtime.StartContainer(container_id=self.id)

    def status(self):
        return self.runtime.ContainerStatus(container_id=self.id).status

    def info(self):
        return json.loads(self.runtime.ContainerStatus(container_id=self.id, verbose=True).info["info"])

    def exited(self, patience=20.0):
        """Its status once it has ended."""
        return wait_for(f"the end of {self.name}",
                        lambda: (lambda s: s if s.state == 2 else None)(self.status()), patience)

    def lines(self, stream=None):
        """[(stream, tag, text)] of its log, which is checked for its form."""
        found = []
        try:
            with open(f"{self.pod.logs}/{self.name}.log", encoding="utf-8", errors="replace") as file:
                for line in file:
                    when, where, tag, text = line.rstrip("\n").split(" ", 3)
                    assert "T" in when and where in ("stdout", "stderr") and tag in "FP", line
                    found.append((where, tag, text))
        except FileNotFoundError:
            pass
        return [row for row in found if stream in (None, row[0])]

    def text(self, stream=None):
        return "\n".join(text for _, _, text in self.lines(stream))

    def says(self, text, patience=20.0):
        """Waits until its log has the text."""
        return wait_for(f"{text!r} in the log of {self.name}", lambda: text in self.text(), patience)

    def exec(self, *words, timeout=10):
        return self.runtime.ExecSync(container_id=self.id, cmd=words, timeout=timeout)

    def stats(self):
        return self.runtime.ContainerStats(container_id=self.id).stats

    def stop(self, timeout=5):
        self.runtime.StopContainer(container_id=self.id, timeout=timeout)

    def remove(self):
        self.runtime.RemoveContainer(container_id=self.id)


def fetch(ip, port):
    """The body of an HTTP answer, asked for from here."""
    import urllib.request
    with urllib.request.urlopen(f"http://{ip}:{port}/", timeout=10) as answer:
        return answer.read().decode()


def fetch_from(container, ip, port):
    """The same, asked for from a Linux container."""
    script = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 5 {ip} {port}"
    answer = container.exec("/bin/sh", "-c", script)
    assert answer.exit_code == 0, answer
    return answer.stdout.decode()


class Cluster:
    """A node and a client of its CRI."""

    def __init__(self, node):
        self.node, self.options = node, node.options
        self.handler = node.options.runtime
        self.runtime = connect(node.socket)

    def program(self, name):
        return self.node.program(name)

    def pod(self, **options):
        return Pod(self.runtime, self.handler, **options)


@contextlib.contextmanager
def cluster(options):
    with Node(options) as node:
        made = Cluster(node)
        wait_for("the CRI", lambda: made.runtime.Status().status.conditions[0].status, 30)
        yield made
        left = made.runtime.ListPodSandbox().items, made.runtime.ListContainers().containers
        if any(left):
            print(f"note: pods or containers left: {left}")
        made.runtime.close()
