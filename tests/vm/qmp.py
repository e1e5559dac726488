# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest's script asks of the machine it runs on, through QEMU's monitor."""
import json
import socket
import time

# An answer comes at once; a function that is to go, goes when the guest's kernel lets go of it.
PATIENCE = 60


class Monitor:
    """QEMU's monitor (QMP): commands, their answers, and the events in between.

    A pair of sockets: `theirs` is for QEMU to inherit. Nothing is in the file system, whose paths
    may be too long for a socket."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.ours.settimeout(PATIENCE)
        self.reader = self.ours.makefile("r")
        self.events = []
        self.greeted = False

    def arguments(self):
        return ["-chardev", f"socket,id=monitor,fd={self.theirs.fileno()}",
                "-mon", "chardev=monitor,mode=control"]

    def close(self):
        self.reader.close()
        self.ours.close()
        self.theirs.close()

    def _greet(self):
        self.greeted = True
        self._next()
        self.ask("qmp_capabilities")

    def _next(self):
        line = self.reader.readline()
        if not line:
            raise OSError("the monitor is closed")
        return json.loads(line)

    def ask(self, command, **arguments):
        """The answer; RuntimeError with the monitor's words when it refuses."""
        if not self.greeted:
            self._greet()
        self.ours.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            message = self._next()
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise RuntimeError(message["error"]["desc"])
            else:
                return message["return"]

    def wait_deleted(self, device):
        """Until the guest has let go of the device and it is no more."""
        end = time.monotonic() + PATIENCE
        while not any(e["event"] == "DEVICE_DELETED" and e["data"].get("device") == device
                      for e in self.events):
            if time.monotonic() > end:
                raise RuntimeError(f"{device} did not go in {PATIENCE} s")
            self.events.append(self._next())


def device_add(monitor, words):
    """device_add e1000e,bus=port4,id=nic: as the -device of QEMU's command line."""
    driver, *options = words.split(",")
    monitor.ask("device_add", driver=driver, **dict(option.split("=", 1) for option in options))


def device_del(monitor, device):
    """device_del nic: done when it is gone."""
    monitor.events.clear()
    monitor.ask("device_del", id=device)
    monitor.wait_deleted(device)


def device_pull(monitor, device):
    """device_pull nic: as device_del, but not waited for: the guest may be holding it."""
    monitor.ask("device_del", id=device)


ACTIONS = {action.__name__: action for action in (device_add, device_del, device_pull)}


def answer(monitor, request):
    """Does what a script asked for (`device_del nic`); what it is told: done, or why not."""
    name, _, words = request.partition(" ")
    if name not in ACTIONS:
        return f"failed: no such action: {name}"
    try:
        ACTIONS[name](monitor, words)
    except (OSError, RuntimeError, ValueError) as why:
        return f"failed: {why}"
    return "done"
