# SPDX-License-Identifier: Apache-2.0
"""What the checks share: the tree's root and the arrow table of layers.txt."""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read_layers():
    layers = {}
    with open(os.path.join(ROOT, ".ci/checks/layers.txt"), encoding="utf-8") as file:
        for line in file:
            if line.startswith(("#", "link")) or ":" not in line:
                continue
            folder, targets = line.split(":")
            layers[folder] = targets.split()
    return layers


def allowed(folder, layers):
    """Folders that a file of `folder` may name."""
    names = set(layers.get(folder, ())) | {folder}
    return names | {"vm/base"} if folder.startswith("vm/") else names


def closure(folder, layers):
    """Folders whose headers are on the include path, as .ci/cmake/layers.cmake makes it."""
    seen, todo = set(), [folder]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(allowed(name, layers))
    return seen
