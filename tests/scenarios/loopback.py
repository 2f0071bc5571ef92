"""Real daemons on loopback, for scenarios."""

import json
import os
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("HEARTH_BIN", os.path.join(ROOT, "build", "release", "bin"))


def expect(holds, what):
    if not holds:
        raise SystemExit(f"FAILED: {what}")
    print(f"holds: {what}", flush=True)


def until(holds, what, seconds=30):
    end = time.time() + seconds
    while time.time() < end:
        if holds():
            return expect(True, what)
        time.sleep(0.05)
    raise SystemExit(f"FAILED: {what}")


class Device:
    def __init__(self, folder, name, port):
        self.name, self.port, self.daemon = name, port, None
        self.home = os.path.join(folder, name)
        self.log = os.path.join(folder, name + ".log")

    def begin(self, *arguments):
        return subprocess.Popen([os.path.join(BIN, "hearth"), *arguments, "--home", self.home, "--json"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments):
        """Exit code and the JSON values of the output."""
        process = self.begin(*arguments)
        out, self.errors = process.communicate()
        return process.returncode, [json.loads(line) for line in out.splitlines()]

    def ask(self, *arguments):
        code, values = self.run(*arguments)
        if code != 0:
            raise SystemExit(f"FAILED: {self.name}: {' '.join(arguments)}: {self.errors}")
        return values

    def listen(self):
        return "--listen", f"127.0.0.1:{self.port}"

    def launch(self):
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen([os.path.join(BIN, "hearthd"), "--home", self.home, "--no-discovery"],
                                           stdout=log, stderr=log)

    def start(self):
        self.launch()
        until(lambda: self.run("status")[0] == 0, f"hearthd of {self.name} answers")

    def cpu_s(self):
        with open(f"/proc/{self.daemon.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_idle(self, seconds=2, most_s=0.1):
        """Whether the daemon does next to nothing for so long."""
        before = self.cpu_s()
        time.sleep(seconds)
        return self.cpu_s() - before < most_s

    def kill(self):
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None


def found_circle(device, folder):
    device.ask("init", "--name", device.name, *device.listen(), "--recovery-out", os.path.join(folder, "words"))
    device.start()


def bring_in(admin, new, role="member"):
    joiner = new.begin("join", "--code", "--name", new.name, "--no-discovery", *new.listen())
    code = json.loads(joiner.stdout.readline())["code"]
    paired, _ = admin.run("pair", code, "--at", f"127.0.0.1:{new.port}", "--role", role, "--yes")
    expect(paired == 0 and joiner.wait(30) == 0, f"{new.name} is brought in")
    new.start()
