#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What test_cgroup_live.c needs of systemd, on a private bus: scopes in the hierarchy FOLDER; calls are
written to LOG, a line each. Prints "ready" when it has its name."""
import os
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

FOLDER, LOG = sys.argv[1], sys.argv[2]


def expand(slice_name):
    parts = slice_name[: -len(".slice")].split("-")
    return "/".join("-".join(parts[: i + 1]) + ".slice" for i in range(len(parts)))


class Manager(dbus.service.Object):
    scopes = {}

    def log(self, *words):
        with open(LOG, "a") as log:
            print(*words, file=log)

    def values(self, properties):
        return sorted((str(name), str(value)) for name, value in properties if name != "PIDs")

    @dbus.service.method("org.freedesktop.systemd1.Manager", in_signature="ssa(sv)a(sa(sv))",
                         out_signature="o")
    def StartTransientUnit(self, name, mode, properties, others):
        named = dict((str(key), value) for key, value in properties)
        self.log("start", name, mode, self.values(properties))
        if name in self.scopes:
            raise dbus.DBusException("Unit %s already exists." % name,
                                     name="org.freedesktop.systemd1.UnitExists")
        folder = os.path.join(FOLDER, expand(str(named["Slice"])), str(name))
        GLib.timeout_add(20, self.begin, folder, [int(pid) for pid in named["PIDs"]])
        self.scopes[name] = folder
        return "/org/freedesktop/systemd1/job/1"

    def begin(self, folder, pids):
        os.makedirs(folder, exist_ok=True)
        for pid in pids:
            with open(os.path.join(folder, "cgroup.procs"), "w") as procs:
                procs.write(str(pid))
        return False

    @dbus.service.method("org.freedesktop.systemd1.Manager", in_signature="sba(sv)")
    def SetUnitProperties(self, name, runtime, properties):
        self.log("set", name, bool(runtime), self.values(properties))

    @dbus.service.method("org.freedesktop.systemd1.Manager", in_signature="ss", out_signature="o")
    def StopUnit(self, name, mode):
        self.log("stop", name, mode)
        if name not in self.scopes:
            raise dbus.DBusException("Unit %s not loaded." % name,
                                     name="org.freedesktop.systemd1.NoSuchUnit")
        del self.scopes[name]
        return "/org/freedesktop/systemd1/job/2"


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
bus_name = dbus.service.BusName("org.freedesktop.systemd1", bus)
manager = Manager(bus, "/org/freedesktop/systemd1")
print("ready", flush=True)
GLib.timeout_add_seconds(60, sys.exit)
GLib.MainLoop().run()
