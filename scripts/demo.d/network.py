"""Where the demo's devices live: one network namespace each on a bridge, or loopback ports."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def sh(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Loopback:
    """Devices share the machine's loopback; a cut link is simulated by stopping the process."""

    name = "loopback ports"
    can_cut = False

    def __init__(self, devices):
        self.ports = {device: 17600 + os.getpid() % 1000 * 8 + i for i, device in enumerate(devices)}

    def address(self, device):
        return f"127.0.0.1:{self.ports[device]}"

    def inside(self, device):
        return []

    def packets_elsewhere(self):
        return None

    def close(self):
        pass


class Namespaces:
    """A bridge in a namespace of its own, and a veth to it from each device's."""

    name = "network namespaces on a bridge"
    can_cut = True

    def __init__(self, devices):
        self.tag = f"hearth{os.getpid()}"
        self.hub = f"{self.tag}-hub"
        self.ip = {device: f"10.77.0.{i + 1}" for i, device in enumerate(devices)}
        self.captures = {}
        self.folder = tempfile.mkdtemp(prefix="hearth-capture-")
        self.made = []
        try:
            self._add(self.hub)
            sh("ip", "-n", self.hub, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
            sh("ip", "-n", self.hub, "link", "set", "br0", "up")
            for i, device in enumerate(devices):
                self._add_device(i, device)
        except subprocess.CalledProcessError:
            self.close()
            raise

    def _add(self, namespace):
        sh("ip", "netns", "add", namespace)
        self.made.append(namespace)
        # The demo's addresses are IPv4; without this the kernel itself would speak on the links.
        sh("ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
           "net.ipv6.conf.default.disable_ipv6=1")
        sh("ip", "-n", namespace, "link", "set", "lo", "up")

    def _add_device(self, index, device):
        namespace, port = self.namespace(device), f"veth{index}"
        self._add(namespace)
        sh("ip", "link", "add", port, "netns", self.hub, "type", "veth", "peer", "name", "eth0",
           "netns", namespace)
        sh("ip", "-n", self.hub, "link", "set", port, "master", "br0", "up")
        sh("ip", "-n", namespace, "addr", "add", f"{self.ip[device]}/24", "dev", "eth0")
        sh("ip", "-n", namespace, "link", "set", "eth0", "up")
        out = os.path.join(self.folder, device)
        capture = subprocess.Popen(
            ["ip", "netns", "exec", namespace, sys.executable, os.path.join(HERE, "capture.py"), out]
            + list(self.ip.values()), stdout=subprocess.PIPE)
        capture.stdout.readline()
        self.captures[device] = (capture, out)

    def namespace(self, device):
        return f"{self.tag}-{device}"

    def address(self, device):
        return f"{self.ip[device]}:7427"

    def inside(self, device):
        return ["ip", "netns", "exec", self.namespace(device)]

    def cut(self, device):
        sh("ip", "-n", self.hub, "link", "set", f"veth{list(self.ip).index(device)}", "down")

    def mend(self, device):
        sh("ip", "-n", self.hub, "link", "set", f"veth{list(self.ip).index(device)}", "up")

    def packets_elsewhere(self):
        elsewhere = 0
        for capture, out in self.captures.values():
            capture.send_signal(signal.SIGTERM)
            capture.wait(10)
            with open(out, encoding="utf-8") as file:
                seen = json.load(file)
            elsewhere += seen["elsewhere"]
            for example in seen["examples"]:
                print(f"[demo] a packet elsewhere: {example}", file=sys.stderr)
        self.captures = {}
        return elsewhere

    def close(self):
        for capture, _ in self.captures.values():
            capture.kill()
        for namespace in reversed(self.made):
            subprocess.run(["ip", "netns", "del", namespace], check=False, stderr=subprocess.DEVNULL)


def best_network(devices, loopback):
    if loopback or os.geteuid() != 0:
        return Loopback(devices)
    try:
        return Namespaces(devices)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        print(f"[demo] network namespaces cannot be made here ({error}); using loopback", file=sys.stderr)
        return Loopback(devices)
