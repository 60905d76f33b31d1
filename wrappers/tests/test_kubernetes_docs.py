#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents for Kubernetes: every object in a .yaml file or a ```yaml block against
kubernetes_schema.py, objects against each other, other blocks, links, options of our programs, texts
of errors. The argument is bin/wasmrun, beside which the other programs are looked for."""
import glob
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys

if importlib.util.find_spec("yaml") is None and os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") \
        and os.path.exists("/usr/bin/python3"):
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])  # python3-yaml is Debian's
try:
    import tomllib
    import yaml
except ImportError as problem:
    print(f"SKIPPED: test_kubernetes_docs: {problem} (packages python3-yaml, python3 >= 3.11)")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(77)

import kubernetes_schema as schema  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DOCS = os.path.join(ROOT, "docs", "kubernetes")
BIN = os.path.dirname(os.path.abspath(sys.argv[1])) if len(sys.argv) > 1 else os.path.join(ROOT, "build/release/bin")
PROGRAMS = ("wasmrun", "wasmrun-oci", "wasmrun-node")
NAME, INSTALLED = "wasmrun", {"wasmrun.io/installed": "true"}
counts = {"passed": 0, "failed": 0, "skipped": 0}
SAID = set()


def judge(label, errors):
    counts["failed" if errors else "passed"] += 1
    for error in errors:
        print(f"FAIL  {label}: {error}")


def skip(label, reason):
    line = f"SKIPPED: {label}: {reason}"
    if line not in SAID:
        SAID.add(line)
        counts["skipped"] += 1
        print(line)


# ---------------------------------------------------------------- reading

class Strict(yaml.SafeLoader):
    """A key that is there twice is an error."""


def _strict_map(loader, node):
    keys = [key.value for key, _ in node.value]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"key {twice[0]!r} is there twice", node.start_mark)
    return loader.construct_mapping(node, deep=True)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _strict_map)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def load(text):
    """(objects, errors) of a YAML text."""
    try:
        return [item for item in yaml.load_all(text, Loader=Strict) if item is not None], []
    except yaml.YAMLError as problem:
        return [], [" ".join(str(problem).split())]


def blocks(text, language):
    """(line, text) of the fenced blocks of a language; indented ones without their indent."""
    found, inside, begun = [], None, 0
    for number, line in enumerate(text.split("\n"), 1):
        fence = re.match(r"^( *)```(\w*)", line)
        if inside is None and fence:
            inside, begun, lead, word = [], number, len(fence.group(1)), fence.group(2)
        elif inside is not None and fence:
            if word == language:
                found.append((begun, "\n".join(inside)))
            inside = None
        elif inside is not None:
            inside.append(line[lead:])
    return found


def pages():
    return sorted(glob.glob(f"{DOCS}/*.md")) + [f"{ROOT}/docs/containers.md"]


def sources():
    """(label, objects, errors) of all YAML of the documents; a page's blocks are one source each."""
    for path in sorted(glob.glob(f"{DOCS}/*.yaml")):
        yield os.path.basename(path), *load(read(path))
    for path in pages():
        for line, text in blocks(read(path), "yaml"):
            yield f"{os.path.basename(path)}:{line}", *load(text)


# ---------------------------------------------------------------- one object

def template_of(item):
    """(labels, spec) of the pod that an object makes, or None."""
    if item["kind"] == "Pod":
        return item["metadata"].get("labels", {}), item["spec"]
    template = item.get("spec", {}).get("template") if isinstance(item.get("spec"), dict) else None
    return (template.get("metadata", {}).get("labels", {}), template["spec"]) if template else None


def ports_of(spec):
    return {port.get("name") for row in spec["containers"] for port in row.get("ports", [])} | \
        {port["containerPort"] for row in spec["containers"] for port in row.get("ports", [])}


def check_pod(item, labels, spec):
    errors = []
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    used, names = set(), [row["name"] for row in spec.get("initContainers", []) + spec["containers"]]
    for row in spec.get("initContainers", []) + spec["containers"]:
        for mount in row.get("volumeMounts", []):
            used.add(mount["name"])
            if mount["name"] not in volumes:
                errors.append(f"{row['name']}: volume {mount['name']!r} is not there")
        known = {variable["name"] for variable in row.get("env", [])}
        for word in re.findall(r"\$\((\w+)\)", " ".join(row.get("command", []) + row.get("args", []))):
            if word not in known:
                errors.append(f"{row['name']}: variable {word!r} is not there")
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            for way in ("tcpSocket", "httpGet"):
                port = row.get(probe, {}).get(way, {}).get("port")
                if port is not None and port not in ports_of({"containers": [row]}):
                    errors.append(f"{row['name']}: {probe}: port {port!r} is not there")
        errors.extend(check_words(row.get("command", []), row["name"]))
    errors.extend(f"volume {name!r} is not used" for name in sorted(volumes - used))
    errors.extend(f"container {name!r} is there twice" for name in sorted({n for n in names if names.count(n) > 1}))
    wanted = item.get("spec", {}).get("selector", {}).get("matchLabels", {}) if item["kind"] != "Pod" else {}
    errors.extend(f"selector {key}={value} is no label of the template" for key, value in wanted.items()
                  if labels.get(key) != value)
    for rule in item.get("spec", {}).get("podFailurePolicy", {}).get("rules", []):
        if rule["onExitCodes"].get("containerName", names[0]) not in names:
            errors.append(f"container {rule['onExitCodes']['containerName']!r} of podFailurePolicy is not there")
    if spec.get("runtimeClassName", NAME) != NAME:
        errors.append(f"runtimeClassName {spec['runtimeClassName']!r} does not exist")
    return errors


def check_object(item):
    """Schema first; what a schema can't say when that is well."""
    errors = schema.errors_of(item)
    if errors:
        return errors
    if item["kind"] == "RuntimeClass":
        if (item["metadata"]["name"], item["handler"]) != (NAME, NAME):
            errors.append(f"name and handler are not {NAME!r}")
        if item.get("scheduling", {}).get("nodeSelector", INSTALLED) != INSTALLED:
            errors.append("nodeSelector is not the label of the installer")
    if item["kind"] == "Cluster":
        for text in item.get("containerdConfigPatches", []):
            errors.extend(check_toml(text))
    template = template_of(item)
    return errors + (check_pod(item, *template) if template else [])


# ---------------------------------------------------------------- objects and each other

def check_together(objects):
    """Objects of one file name each other."""
    errors, named = [], {(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"])
                         for item in objects if "metadata" in item}
    pods = [template_of(item) for item in objects if template_of(item)]
    for item in objects:
        space = item.get("metadata", {}).get("namespace")
        if space and ("Namespace", None, space) not in named:
            errors.append(f"namespace {space!r} is not there")
        template = template_of(item)
        account = template and template[1].get("serviceAccountName")
        if account and ("ServiceAccount", space, account) not in named:
            errors.append(f"service account {account!r} is not there")
        if item["kind"] == "ClusterRoleBinding":
            if ("ClusterRole", None, item["roleRef"]["name"]) not in named:
                errors.append(f"role {item['roleRef']['name']!r} is not there")
            errors.extend(f"service account {row['name']!r} is not there" for row in item["subjects"]
                          if ("ServiceAccount", row["namespace"], row["name"]) not in named)
        if item["kind"] == "Service":
            matched = [spec for labels, spec in pods if item["spec"]["selector"].items() <= labels.items()]
            if not matched:
                errors.append(f"service {item['metadata']['name']!r} selects no pod")
            for port in item["spec"]["ports"] if matched else []:
                if not any(port.get("targetPort", port["port"]) in ports_of(spec) for spec in matched):
                    errors.append(f"service {item['metadata']['name']!r}: no pod has port {port.get('targetPort', port['port'])!r}")
    return errors


def check_installer(objects):
    """The installer's pods may do what they do, and no more."""
    rules = [(rule["resources"], sorted(rule["verbs"])) for item in objects if item["kind"] == "ClusterRole"
             for rule in item["rules"]]
    errors = [] if rules == [(["nodes"], ["get", "patch"])] else [f"the rules are {rules}"]
    (spec,) = [item["spec"]["template"]["spec"] for item in objects if item["kind"] == "DaemonSet"]
    words = [row["command"] for row in spec["initContainers"]]
    label = "=".join(*INSTALLED.items())
    if not any(label in row for row in words):
        errors.append(f"nobody sets {label}")
    if not spec.get("hostPID"):
        errors.append("without hostPID no service is restarted")
    return errors


# ---------------------------------------------------------------- other blocks

def check_toml(text):
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        return [str(problem)]
    found = []

    def walk(path, value):
        for key, item in value.items() if isinstance(value, dict) else ():
            if key == "runtimes" and isinstance(item, dict):
                found.extend((path, name, row) for name, row in item.items())
            walk(path + [key], item)
    walk([], table)
    errors = [] if found else ["has no table of runtimes"]
    for path, name, row in found:
        if path[:1] == ["crio"]:
            good = row.get("runtime_path", "").startswith("/")
        elif path[:2] in (["plugins", "io.containerd.grpc.v1.cri"], ["plugins", "io.containerd.cri.v1.runtime"]):
            good = row.get("runtime_type") in ("io.containerd.wasmrun.v1", "io.containerd.runc.v2")
        else:
            errors.append(f"the table of runtimes is at {'.'.join(path)!r}")
            continue
        if not good:
            errors.append(f"runtime {name!r}: unknown runtime_type or no runtime_path")
        if name != NAME:
            errors.append(f"runtime {name!r} is not called {NAME!r}")
    return errors


def check_json(text):
    try:
        json.loads(text)
    except ValueError as problem:
        return [str(problem)]
    return []


def anchors(text):
    """As GitHub makes them of headings."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in re.findall(r"^#+ (.*)$", text, re.M)}


def check_links(path, text):
    errors = []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.S)):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        whole = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
        if not os.path.exists(whole):
            errors.append(f"link to {target}: no such file")
        elif anchor and anchor not in anchors(read(whole)):
            errors.append(f"link to {target}: no such heading")
    for name in re.findall(r"-f ([\w./-]+\.yaml)", text):
        if not os.path.exists(os.path.join(ROOT, name)):
            errors.append(f"{name}: no such file")
    return errors


# ---------------------------------------------------------------- commands

def commands_of(text):
    """Lists of words of a block's commands."""
    found = []
    for line in text.replace("\\\n", " ").split("\n"):
        one = []
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
        lexer.whitespace_split, lexer.commenters = True, "#"
        for word in [*lexer, ";"]:
            if set(word) <= set("|&;()<>"):
                found.append(one)
                one = []
            else:
                one.append(word)
    return [words for words in map(bare, found) if words]


def bare(words):
    """Without variables and sudo in front."""
    while words and (words[0] == "sudo" or re.match(r"^\w+=", words[0])):
        words = words[1:]
    return words


HELP = {}


def help_of(program, command):
    """The options that --help tells; None: there is no such command, or no such program."""
    path = os.path.join(BIN, program)
    if (program, command) not in HELP:
        done = subprocess.run([path, *([command] if command else []), "--help"], capture_output=True, text=True, timeout=60)
        options = set(re.findall(r"--[a-z][a-z0-9-]*", done.stdout))
        HELP[program, command] = options if done.returncode == 0 and options else None
    return HELP[program, command]


def check_words(words, label):
    """A command line of ours has a command and options that exist; of others nothing is known."""
    program = os.path.basename(words[0]) if words else ""
    if program not in PROGRAMS:
        return []
    if not os.path.exists(os.path.join(BIN, program)):
        skip(label, f"{' '.join(words)}: {program} is not built")
        return []
    rest, command = list(words[1:]), ""
    whole = help_of(program, "") or set()
    while rest and rest[0].startswith("-"):  # before the command
        option = rest.pop(0).split("=")[0]
        if option.startswith("--") and option not in whole:
            if program == "wasmrun":  # `run` is understood
                rest, command = [option, *rest], "run"
                break
            return [f"{program} has no option {option}"]
        if option not in ("--help", "--version", "--debug", "--systemd-cgroup") and rest:
            rest.pop(0)
    if not command and rest:
        command = rest.pop(0) if "." not in rest[0] else "run"
    options = help_of(program, command) if command else whole
    if options is None and (program, command) == ("wasmrun", "pack"):
        skip(label, f"{' '.join(words)}: wasmrun has no pack yet")
        return []
    if options is None:
        return [f"{program} has no command {command!r}"]
    errors = []
    for word in rest:
        if command == "run" and program == "wasmrun" and word.endswith(".wasm"):
            break  # the rest is the guest's
        if word.startswith("--") and word.split("=")[0] not in options:
            errors.append(f"{program} {command} has no option {word.split('=')[0]}")
    return errors


# ---------------------------------------------------------------- texts of errors

def literals():
    """All string literals of the wrappers, those side by side as one."""
    found = []
    for path in glob.glob(f"{ROOT}/wrappers/*/*.c") + glob.glob(f"{ROOT}/vm/base/*.def") + glob.glob(f"{ROOT}/vm/*/*.c"):
        if "/tests/" not in path:
            one = r'"(?:[^"\\\n]|\\.)*"'
            found += ["".join(part[1:-1] for part in re.findall(one, group))
                      for group in re.findall(rf"{one}(?:\s*{one})*", read(path))]
    return "\n".join(found)


def check_messages(text):
    """`### ` headings of troubleshooting.md that are code of ours, in pieces between …"""
    known, errors = literals(), []
    titles = re.findall(r"^### `(.*)`$", text.split("## Messages of others")[0], re.M)
    if len(titles) < 10:
        errors.append(f"only {len(titles)} messages")
    for title in titles:
        for piece in filter(None, (piece.strip(" '") for piece in title.split("…"))):
            if piece not in known:
                errors.append(f"{title!r}: no program says {piece!r}")
    return errors


# ---------------------------------------------------------------- whether the checks can fail

GOOD_POD = """
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {app: a}, annotations: {io.wasmrun/net: none}}
spec:
  runtimeClassName: wasmrun
  containers:
    - name: c
      image: registry.example.com/c:1
      ports: [{name: http, containerPort: 80}]
      resources: {limits: {memory: 64Mi, cpu: 100m}}
      readinessProbe: {tcpSocket: {port: http}}
      volumeMounts: [{name: v, mountPath: /v}]
  volumes: [{name: v, emptyDir: {}}]
"""
# What is replaced by what, and the message.
BROKEN = [
    ("kind: Pod", "kind: Pid", "unknown apiVersion and kind"), ("apiVersion: v1", "apiVersion: v2", "unknown apiVersion"),
    ("apiVersion: v1\n", "", "unknown apiVersion"), ("name: a,", "name: A_b,", "RFC 1123"), ("name: a,", "", "name is missing"),
    ("name: a,", f"name: {'a' * 254},", "RFC 1123"), ("labels: {app: a}", "labels: {app: a b}", "value of a label"),
    ("labels: {app: a}", "labels: {/app: a}", "key of a label"), ("labels: {app: a}", "labels: {app: 1}", "is not text"),
    ("io.wasmrun/net: none", "io.wasmrun/a/b: none", "key of a label"), ("io.wasmrun/net: none", "x: true", "is not text"),
    ("runtimeClassName", "runtimeclassName", "unknown field 'runtimeclassName'"),
    ("runtimeClassName: wasmrun", "runtimeClassName: wasmtime", "runtimeClassName 'wasmtime' does not exist"),
    ("spec:\n", "spec:\n  restartPolicy: Sometimes\n", "is none of"), ("spec:\n", "spec:\n  hostPID: 1\n", "neither true nor false"),
    ("    - name: c\n", "    - name: c\n      name: d\n", "key 'name' is there twice"), ("    - name: c\n", "    - name: c.d\n", "RFC 1123"),
    ("c:1\n", "c\n", "image with"), ("c:1\n", "c:latest\n", "image with"), ("image: registry.example.com/c:1", "image: c:1", "image with"),
    ("containerPort: 80", "containerPort: 70000", "not within"), ("containerPort: 80", "containerPort: '80'", "is no number"),
    ("64Mi", "64MB", "quantity of memory"), ("64Mi", "64", "is not text"), ("100m", "'0.1234'", "quantity of CPUs"), ("100m", "100Mi", "quantity of CPUs"),
    ("port: http}", "port: https}", "port 'https' is not there"), ("tcpSocket: {port: http}", "periodSeconds: 5", "exactly one of"),
    ("tcpSocket: {port: http}", "tcpSocket: {port: http}, exec: {command: [a]}", "exactly one of"),
    ("[{name: v, mountPath: /v}]", "[{name: w, mountPath: /v}]", "volume 'w' is not there"),
    ("mountPath: /v", "mountPath: v", "absolute path"), ("volumes: [{name: v,", "volumes: [{name: x, emptyDir: {}}, {name: v,", "is not used"),
    ("[{name: v, mountPath: /v}]", "[{name: v, mountPath: /v}, {name: v, mountPath: /v}]", "is there twice"),
    ("      ports:", "      command: [/a, $(B)]\n      ports:", "variable 'B' is not there"),
    ("      ports:", "      env: [{name: 1A, value: a}]\n      ports:", "name of a variable"),
    ("      ports:", "      env: [{name: A}]\n      ports:", "exactly one of value"),
    ("      ports:", "      args: []\n      ports:", "fewer than"), ("containers:", "containers: {}\n  initContainers:", "is no list"),
    ("      ports:", "     ports:", "expected"), ("spec:\n", "spec: []\nspecs:\n", "is no map"),
]
DEPLOYMENT = read(f"{DOCS}/deployment.yaml") if os.path.exists(f"{DOCS}/deployment.yaml") else ""
INSTALLER = read(f"{DOCS}/daemonset-installer.yaml") if os.path.exists(f"{DOCS}/daemonset-installer.yaml") else ""
CLASS = read(f"{DOCS}/runtimeclass.yaml") if os.path.exists(f"{DOCS}/runtimeclass.yaml") else ""
BROKEN_FILES = [
    (DEPLOYMENT, "    matchLabels:\n      app: web", "    matchLabels:\n      app: wab", "is no label of the template"),
    (DEPLOYMENT, "  selector:\n    app: web", "  selector:\n    app: wab", "selects no pod"),
    (DEPLOYMENT, "targetPort: http", "targetPort: grpc", "no pod has port"), (DEPLOYMENT, "port: 80\n", "port: 0\n", "not within"),
    (INSTALLER, "serviceAccountName: wasmrun-node", "serviceAccountName: wasmrun", "service account 'wasmrun' is not there"),
    (INSTALLER, "kind: ClusterRole\n  name: wasmrun-node", "kind: ClusterRole\n  name: other", "role 'other' is not there"),
    (INSTALLER, "  namespace: wasmrun-system\n", "  namespace: other\n", "namespace 'other' is not there"),
    (INSTALLER, '"get", "patch"', '"get", "watch", "everything"', "is none of"),
    (CLASS, "handler: wasmrun", "handler: wasmtime", "name and handler"), (CLASS, "handler: wasmrun", "", "handler is missing"),
    (CLASS, 'installed: "true"', 'installed: "yes"', "nodeSelector"), (CLASS, 'installed: "true"', "installed: true", "is not text"),
]
BROKEN_TOML = [("[", "Invalid"), ("a = 1", "has no table"), ("[x.runtimes.wasmrun]\na = 1", "is at 'x'"),
               ('[crio.runtime.runtimes.wasmrun]\nruntime_path = "x"', "runtime_path"),
               ('[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.wasmtime]\nruntime_type = "io.containerd.wasmtime.v1"', "unknown")]


def all_errors(text):
    objects, errors = load(text)
    for item in objects:
        errors += check_object(item)
    return errors or check_together(objects)


def check_can_fail():
    judge("a good pod", all_errors(GOOD_POD))
    rows = [(GOOD_POD, *row) for row in BROKEN] + BROKEN_FILES
    for text, old, new, message in rows:
        label = f"{new.strip()[:60]!r} instead of {old.strip()[:40]!r}"
        if old not in text:
            judge(label, ["nothing to replace"])
            continue
        errors = all_errors(text.replace(old, new, 1))
        right = any(message in error for error in errors)
        judge(label, [] if right else [f"{message!r} is not in {errors}"])
    for text, message in BROKEN_TOML:
        errors = check_toml(text)
        judge(f"TOML {text!r}", [] if any(message in error for error in errors) else [f"{message!r} is not in {errors}"])
    judge("broken JSON", [] if check_json("{") else ["is taken"])
    page = f"{DOCS}/README.md"
    for text in ("[a](nothing.md)", "[a](README.md#nothing)", "kubectl apply -f docs/kubernetes/nothing.yaml"):
        judge(f"a page with {text}", [] if check_links(page, text) else ["is taken"])
    judge("a message that nobody says", [] if any("no program says" in e for e in check_messages("### `we are not amused`")) else ["is taken"])
    for words in (["wasmrun-oci", "--nothing", "run"], ["wasmrun-oci", "nothing"], ["wasmrun-oci", "run", "--nothing"],
                  ["wasmrun", "--nothing", "x.wasm"]):
        if os.path.exists(os.path.join(BIN, words[0])):
            judge(" ".join(words), [] if check_words(words, "") else ["is taken"])


def main():
    check_can_fail()
    everything = []
    for label, objects, errors in sources():
        for item in objects:
            errors += [f"{item.get('kind', '?')} {error}" for error in check_object(item)]
        errors += [] if errors else check_together(objects)
        judge(label, errors)
        everything += [] if errors else objects
    judge("all names", [] if any(item["kind"] == "RuntimeClass" for item in everything) else ["there is no RuntimeClass"])
    if INSTALLER:
        judge("the installer", check_installer(load(INSTALLER)[0]))
    for path in pages():
        text, name = read(path), os.path.basename(path)
        judge(f"links of {name}", check_links(path, text))
        for line, block in blocks(text, "toml"):
            judge(f"{name}:{line}", check_toml(block))
        for line, block in blocks(text, "json"):
            judge(f"{name}:{line}", check_json(block))
        for line, block in blocks(text, "sh"):
            errors = [error for words in commands_of(block) for error in check_words(words, f"{name}:{line}")]
            judge(f"{name}:{line}", errors)
        if name == "troubleshooting.md":
            judge(name, check_messages(text))
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
