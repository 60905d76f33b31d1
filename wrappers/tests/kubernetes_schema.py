# SPDX-License-Identifier: Apache-2.0
"""A description of the Kubernetes objects that our documents use: the fields that we write and no
others, so that a misspelt one is an error. Not a description of Kubernetes."""
import re


class Text:
    def __init__(self, pattern=None, what="text", longest=4096):
        self.pattern, self.what, self.longest = pattern and re.compile(pattern), what, longest

    def check(self, value, path, errors):
        if not isinstance(value, str):
            errors.append(f"{path}: is not text but {value!r}")
        elif len(value) > self.longest or self.pattern and not self.pattern.fullmatch(value):
            errors.append(f"{path}: {value!r} is no {self.what}")


class One:
    """One of these words."""

    def __init__(self, *words):
        self.words = words

    def check(self, value, path, errors):
        if value not in self.words or isinstance(value, bool):
            errors.append(f"{path}: {value!r} is none of {', '.join(map(str, self.words))}")


class Number:
    def __init__(self, least=0, most=2**31 - 1):
        self.least, self.most = least, most

    def check(self, value, path, errors):
        if isinstance(value, bool) or not isinstance(value, int):
            errors.append(f"{path}: is no number but {value!r}")
        elif not self.least <= value <= self.most:
            errors.append(f"{path}: {value} is not within {self.least} and {self.most}")


class Flag:
    def check(self, value, path, errors):
        if not isinstance(value, bool):
            errors.append(f"{path}: is neither true nor false but {value!r}")


class Either:
    def __init__(self, *kinds):
        self.kinds = kinds

    def check(self, value, path, errors):
        found = []
        for kind in self.kinds:
            own = []
            kind.check(value, path, own)
            if not own:
                return
            found.append(own[0])
        errors.append(" or ".join(found))


class List:
    """`key`: a field by which no two items may be the same."""

    def __init__(self, kind, least=1, key=None):
        self.kind, self.least, self.key = kind, least, key

    def check(self, value, path, errors):
        if not isinstance(value, list):
            errors.append(f"{path}: is no list but {value!r}")
            return
        if len(value) < self.least:
            errors.append(f"{path}: has fewer than {self.least} items")
        for i, item in enumerate(value):
            self.kind.check(item, f"{path}[{i}]", errors)
        keys = [str(item.get(self.key)) for item in value if self.key and isinstance(item, dict) and self.key in item]
        for twice in sorted({key for key in keys if keys.count(key) > 1}):
            errors.append(f"{path}: {self.key} {twice!r} is there twice")


class Table:
    """Any keys of a form."""

    def __init__(self, key, kind):
        self.key, self.kind = key, kind

    def check(self, value, path, errors):
        if not isinstance(value, dict):
            errors.append(f"{path}: is no map but {value!r}")
            return
        for key, item in value.items():
            self.key.check(key, f"{path}: key", errors)
            self.kind.check(item, f"{path}.{key}", errors)


class Fields:
    """These keys and no others; those that end in ! must be there. `only`: exactly one of them."""

    def __init__(self, only=False, **fields):
        self.only = only
        self.fields = {name.rstrip("_"): kind for name, kind in fields.items()}
        self.needed = [name.rstrip("_") for name in fields if name.endswith("_")]

    def check(self, value, path, errors):
        if not isinstance(value, dict):
            errors.append(f"{path}: is no map but {value!r}")
            return
        for key, item in value.items():
            if key in self.fields:
                self.fields[key].check(item, f"{path}.{key}", errors)
            else:
                errors.append(f"{path}: unknown field {key!r}")
        errors.extend(f"{path}: {key} is missing" for key in self.needed if key not in value)
        if self.only and len(value) != 1:
            errors.append(f"{path}: needs exactly one of {', '.join(self.fields)}")


# ---------------------------------------------------------------- words

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_WORD = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_PREFIX = rf"({_LABEL}(\.{_LABEL})*/)?"
LABEL_NAME = Text(_LABEL, "name (RFC 1123 label)", 63)
NAME = Text(rf"{_LABEL}(\.{_LABEL})*", "name (RFC 1123 subdomain)", 253)
KEY = Text(rf"{_PREFIX}{_WORD}", "key of a label or annotation", 317)
LABELS = Table(KEY, Text(rf"({_WORD})?", "value of a label", 63))
ANNOTATIONS = Table(KEY, Text())
MEMORY = Text(r"[1-9][0-9]*(Ki|Mi|Gi|Ti|k|M|G|T)?", "quantity of memory")
CPU = Text(r"([1-9][0-9]*m?|[0-9]+\.[0-9]{1,3})", "quantity of CPUs")
PATH = Text(r"/[^:]*", "absolute path")
ENV_NAME = Text(r"[A-Za-z_][A-Za-z0-9_]*", "name of a variable")
PORT_NAME = Text(r"(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?", "name of a port", 15)
PORT = Number(1, 65535)
# A tag that stays: not none, not latest.
IMAGE = Text(rf"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+:(?!latest$){_WORD}", "image with a host and a tag")
PROTOCOL = One("TCP", "UDP", "SCTP")
WORDS = List(Text())

META = Fields(name_=NAME, namespace=LABEL_NAME, labels=LABELS, annotations=ANNOTATIONS)
TEMPLATE_META = Fields(labels_=LABELS, annotations=ANNOTATIONS)
SELECTOR = Fields(matchLabels_=LABELS)

# ---------------------------------------------------------------- pods

_AMOUNT = Fields(memory=MEMORY, cpu=CPU)
_PROBE = dict(
    exec=Fields(command_=WORDS), tcpSocket=Fields(port_=Either(PORT, PORT_NAME)),
    httpGet=Fields(path=PATH, port_=Either(PORT, PORT_NAME)), initialDelaySeconds=Number(), periodSeconds=Number(1),
    timeoutSeconds=Number(1), failureThreshold=Number(1), successThreshold=Number(1))


class Probe(Fields):
    def check(self, value, path, errors):
        super().check(value, path, errors)
        ways = [key for key in ("exec", "tcpSocket", "httpGet") if isinstance(value, dict) and key in value]
        if len(ways) != 1:
            errors.append(f"{path}: needs exactly one of exec, tcpSocket, httpGet")


PROBE = Probe(**_PROBE)
SECURITY = Fields(
    allowPrivilegeEscalation=Flag(), privileged=Flag(), readOnlyRootFilesystem=Flag(), runAsNonRoot=Flag(),
    runAsUser=Number(), runAsGroup=Number(),
    capabilities=Fields(drop=List(Text(r"[A-Z_]+", "capability")), add=List(Text(r"[A-Z_]+", "capability"))),
    seccompProfile=Fields(type_=One("RuntimeDefault", "Unconfined", "Localhost"), localhostProfile=Text()))


class Variable(Fields):
    def check(self, value, path, errors):
        super().check(value, path, errors)
        if isinstance(value, dict) and ("value" in value) == ("valueFrom" in value):
            errors.append(f"{path}: needs exactly one of value, valueFrom")


CONTAINER = Fields(
    name_=LABEL_NAME, image_=IMAGE, command=WORDS, args=WORDS, workingDir=PATH,
    env=List(Variable(name_=ENV_NAME, value=Text(),
                      valueFrom=Fields(only=True, fieldRef=Fields(fieldPath_=Text(r"(metadata|spec|status)\.\w+", "field"))))),
    ports=List(Fields(name=PORT_NAME, containerPort_=PORT, protocol=PROTOCOL)),
    startupProbe=PROBE, readinessProbe=PROBE, livenessProbe=PROBE, securityContext=SECURITY,
    imagePullPolicy=One("Always", "IfNotPresent", "Never"),
    resources=Fields(requests=_AMOUNT, limits=_AMOUNT),
    volumeMounts=List(Fields(name_=LABEL_NAME, mountPath_=PATH, readOnly=Flag(), subPath=Text()), key="mountPath"))
VOLUME = Fields(
    name_=LABEL_NAME, emptyDir=Fields(sizeLimit=MEMORY, medium=One("", "Memory")),
    hostPath=Fields(path_=PATH, type=One("", "Directory", "DirectoryOrCreate", "File", "Socket")),
    configMap=Fields(name_=NAME))


def _pod(*restarts, **more):
    return Fields(
        runtimeClassName=NAME, restartPolicy=One(*restarts), terminationGracePeriodSeconds=Number(),
        serviceAccountName=NAME, automountServiceAccountToken=Flag(), nodeSelector=LABELS, hostPID=Flag(),
        tolerations=List(Fields(key=KEY, operator=One("Exists", "Equal"), value=Text(),
                                effect=One("NoSchedule", "PreferNoSchedule", "NoExecute"))),
        initContainers=List(CONTAINER, key="name"), containers_=List(CONTAINER, key="name"),
        volumes=List(VOLUME, key="name"), **more)


POD = _pod("Always", "OnFailure", "Never")
KEPT = Fields(metadata_=TEMPLATE_META, spec_=_pod("Always"))
ENDING = Fields(metadata=TEMPLATE_META, spec_=_pod("OnFailure", "Never"))

# ---------------------------------------------------------------- objects

_PEER = Fields(podSelector=SELECTOR, namespaceSelector=SELECTOR,
               ipBlock=Fields(cidr_=Text(r"[0-9a-f.:]+/[0-9]+", "network")))
_PORTS = List(Fields(protocol=PROTOCOL, port=Either(PORT, PORT_NAME)))
_SUBJECT = Fields(kind_=One("ServiceAccount"), name_=NAME, namespace_=LABEL_NAME)

KINDS = {
    ("v1", "Namespace"): {},
    ("v1", "ServiceAccount"): {},
    ("v1", "Pod"): {"spec_": POD},
    ("v1", "Service"): {"spec_": Fields(
        selector_=LABELS, type=One("ClusterIP", "NodePort", "LoadBalancer"),
        ports_=List(Fields(name=PORT_NAME, port_=PORT, targetPort=Either(PORT, PORT_NAME), protocol=PROTOCOL)))},
    ("node.k8s.io/v1", "RuntimeClass"): {
        "handler_": LABEL_NAME, "overhead": Fields(podFixed_=_AMOUNT),
        "scheduling": Fields(nodeSelector=LABELS, tolerations=List(Fields(key=KEY, operator=One("Exists"))))},
    ("apps/v1", "Deployment"): {"spec_": Fields(replicas=Number(), selector_=SELECTOR, template_=KEPT)},
    ("apps/v1", "DaemonSet"): {"spec_": Fields(
        selector_=SELECTOR, template_=KEPT, updateStrategy=Fields(
            type_=One("RollingUpdate", "OnDelete"), rollingUpdate=Fields(maxUnavailable=Number(1))))},
    ("batch/v1", "Job"): {"spec_": Fields(
        completions=Number(1), parallelism=Number(), backoffLimit=Number(), ttlSecondsAfterFinished=Number(),
        activeDeadlineSeconds=Number(1), template_=ENDING,
        podFailurePolicy=Fields(rules_=List(Fields(
            action_=One("FailJob", "Ignore", "Count"),
            onExitCodes_=Fields(containerName=LABEL_NAME, operator_=One("In", "NotIn"), values_=List(Number(0, 255)))))))},
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): {"rules_": List(Fields(
        apiGroups_=List(Text()), resources_=WORDS,
        verbs_=List(One("get", "list", "watch", "create", "update", "patch", "delete"))))},
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): {
        "roleRef_": Fields(apiGroup_=One("rbac.authorization.k8s.io"), kind_=One("ClusterRole"), name_=NAME),
        "subjects_": List(_SUBJECT)},
    ("networking.k8s.io/v1", "NetworkPolicy"): {"spec_": Fields(
        podSelector_=SELECTOR, policyTypes=List(One("Ingress", "Egress")),
        ingress=List(Fields(ports=_PORTS, **{"from": List(_PEER)})), egress=List(Fields(ports=_PORTS, to=List(_PEER))))},
    # Not an object of a cluster but kind's own file.
    ("kind.x-k8s.io/v1alpha4", "Cluster"): {
        "name": LABEL_NAME, "containerdConfigPatches": List(Text()),
        "nodes_": List(Fields(role_=One("control-plane", "worker"), image=IMAGE, labels=LABELS, extraMounts=List(
            Fields(hostPath_=Text(), containerPath_=PATH, readOnly=Flag()))))},
}


def errors_of(document):
    """What is wrong with one object; each line begins with the place."""
    if not isinstance(document, dict):
        return [f": is no map but {document!r}"]
    kind = (document.get("apiVersion"), document.get("kind"))
    if kind not in KINDS:
        return [f": unknown apiVersion and kind {kind[0]!r}, {kind[1]!r}"]
    fields = dict(KINDS[kind], apiVersion_=One(kind[0]), kind_=One(kind[1]))
    if kind[1] != "Cluster":
        fields["metadata_"] = META
    errors = []
    Fields(**fields).check(document, "", errors)
    return errors
