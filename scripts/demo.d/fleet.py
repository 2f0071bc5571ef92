"""Four devices: their homes, their daemons, brought together by the real commands."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(ROOT, "build", "release", "bin")
PLUGINS = os.path.join(ROOT, "build", "release", "plugins")

# Each device carries what a device of its class would have. Nothing else tells them apart.
CARRIES = {
    "phone": ["audio.vad"],
    "watch": [],
    "laptop": ["audio.transcribe"],
    "gpubox": ["audio.transcribe", "text.format"],
}
READY_WITHIN_S = 120


class DemoError(Exception):
    """Something that the demo cannot go on without; its text is one line for people."""


class Fleet:
    def __init__(self, network, say):
        self.network, self.say = network, say
        self.folder = tempfile.mkdtemp(prefix="hearth-demo-")
        self.daemons = {}

    def home(self, device):
        return os.path.join(self.folder, device)

    def hearth(self, device, *arguments, check=True):
        command = self.network.inside(device) + [os.path.join(BIN, "hearth"), *arguments,
                                                 "--home", self.home(device)]
        done = subprocess.run(command, capture_output=True, text=True)
        if check and done.returncode != 0:
            raise DemoError(f"hearth {arguments[0]} on the {device}: {done.stderr.strip()}")
        return done.stdout

    def bring_together(self):
        for device, plugins in CARRIES.items():
            for plugin in plugins:
                shutil.copytree(os.path.join(PLUGINS, plugin),
                                os.path.join(self.home(device), "plugins", plugin))
            self._make_member(device)
            self.start(device)
        self._wait_until_ready()

    def _make_member(self, device):
        kind = ["--name", device, "--class", device, "--listen", self.network.address(device)]
        if device == "phone":
            self.say("phone: a new circle")
            self.hearth(device, "init", *kind, "--recovery-out", os.path.join(self.folder, "words"))
            return
        waiting = subprocess.Popen(
            self.network.inside(device) + [os.path.join(BIN, "hearth"), "join", "--code", "--no-discovery", "--json",
                                           *kind, "--home", self.home(device)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = waiting.stdout.readline()
        if not line:
            raise DemoError(f"hearth join on the {device}: {waiting.stderr.read().strip()}")
        code = json.loads(line)["code"]
        self.say(f"{device}: shows the code '{code}'; the phone takes it")
        self.hearth("phone", "pair", code, "--at", self.network.address(device), "--yes")
        if waiting.wait(30) != 0:
            raise DemoError(f"the {device} did not join: {waiting.stderr.read().strip()}")

    def start(self, device):
        log = open(os.path.join(self.folder, f"{device}.log"), "ab")
        # They meet by address: nothing is announced, so every packet must be one of theirs.
        daemon = [os.path.join(BIN, "hearthd"), "--no-discovery", "--home", self.home(device)]
        self.daemons[device] = subprocess.Popen(
            self.network.inside(device) + daemon,
            stdout=log, stderr=log)
        for _ in range(100):
            if self.hearth(device, "status", check=False):
                return
            if self.daemons[device].poll() is not None:
                break
            time.sleep(0.05)
        raise DemoError(f"hearthd on the {device} did not start: {self._last_words(device)}")

    def _last_words(self, device):
        with open(os.path.join(self.folder, f"{device}.log"), encoding="utf-8", errors="replace") as log:
            lines = log.read().strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def kill(self, device):
        self.daemons[device].send_signal(signal.SIGKILL)
        self.daemons[device].wait()

    def devices(self, seen_by="watch"):
        return [json.loads(line) for line in self.hearth(seen_by, "devices", "--json").splitlines()]

    @staticmethod
    def is_complete(device):
        """Whether it is reachable and has said all that it can do. Until it has told its name, a device
        is called by its id."""
        able = {plugin["task"] for plugin in device["plugins"]}
        return device["reachable"] and device["name"] in CARRIES and able == set(CARRIES[device["name"]])

    def _wait_until_ready(self):
        begun = time.monotonic()
        told = set()
        while time.monotonic() - begun < READY_WITHIN_S:
            complete = {device["name"] for device in self.devices() if self.is_complete(device)}
            for name in [name for name in CARRIES if name in complete - told]:
                self.say(f"{name}: ready")
            told |= complete
            missing = [name for name in CARRIES if name not in complete]
            if not missing:
                return
            time.sleep(0.2)
        raise DemoError(f"not ready after {READY_WITHIN_S} s: {', '.join(missing)}: "
                        f"{self._last_words(missing[0])}")

    def wait_until_back(self, device):
        begun = time.monotonic()
        while time.monotonic() - begun < READY_WITHIN_S:
            for seen in self.devices():
                if seen["name"] == device and self.is_complete(seen):
                    return
            time.sleep(0.1)
        raise DemoError(f"the {device} did not come back")

    def close(self):
        for daemon in self.daemons.values():
            if daemon.poll() is None:
                daemon.terminate()
        for daemon in self.daemons.values():
            try:
                daemon.wait(5)
            except subprocess.TimeoutExpired:
                daemon.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
