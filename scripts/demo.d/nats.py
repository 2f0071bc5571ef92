"""Network namespaces with NATs between them: some devices on the outside, each of the others alone behind a
router that masquerades (nftables) and lets in only what was asked for, as routers at home do."""

import os
import re
import shutil
import subprocess
import time

OUTSIDE = "10.80.0"


def sh(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Nats:
    """`outside`: names. `behind`: name -> number of its NAT, from 1."""

    def __init__(self, outside, behind):
        self.tag = f"hearthnat{os.getpid()}"
        self.hub = f"{self.tag}-hub"
        self.behind = behind
        self.addresses = {}
        self.made = []
        try:
            self._add(self.hub)
            sh("ip", "-n", self.hub, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
            sh("ip", "-n", self.hub, "link", "set", "br0", "up")
            for i, name in enumerate(outside):
                self._add(self._namespace(name))
                self._plug(self._namespace(name), f"{OUTSIDE}.{i + 2}")
                self.addresses[name] = f"{OUTSIDE}.{i + 2}"
            for name, number in behind.items():
                self._add_behind(name, number)
        except RuntimeError:
            self.close()
            raise

    @staticmethod
    def why_not():
        """Why there can be none here; empty when there can."""
        if os.geteuid() != 0:
            return "network namespaces need root"
        for tool in ("ip", "nft"):
            if not shutil.which(tool):
                return f"no {tool} here: scripts/bootstrap installs it"
        probe = f"hearthprobe{os.getpid()}"
        try:
            sh("ip", "netns", "add", probe)
        except RuntimeError:
            return "network namespaces cannot be made here"
        try:
            sh("ip", "netns", "exec", probe, "nft", "-f", "-", text=_rules("eth0", False))
        except RuntimeError:
            return "nftables cannot masquerade here"
        finally:
            subprocess.run(["ip", "netns", "del", probe], check=False)
        return ""

    def _namespace(self, name):
        return f"{self.tag}-{name}"

    def _nat(self, number):
        return f"{self.tag}-nat{number}"

    def _add(self, namespace):
        sh("ip", "netns", "add", namespace)
        self.made.append(namespace)
        sh("ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
           "net.ipv6.conf.default.disable_ipv6=1")
        sh("ip", "-n", namespace, "link", "set", "lo", "up")

    def _plug(self, namespace, address):
        port = f"p{address.split('.')[-1]}"
        sh("ip", "link", "add", port, "netns", self.hub, "type", "veth", "peer", "name", "eth0", "netns",
           namespace)
        sh("ip", "-n", self.hub, "link", "set", port, "master", "br0", "up")
        sh("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
        sh("ip", "-n", namespace, "link", "set", "eth0", "up")

    def _add_behind(self, name, number):
        self._add(self._namespace(name))
        self.addresses[name] = f"192.168.{number}.2"
        self.set_nat(number, random_ports=False)

    def set_nat(self, number, random_ports):
        """A new router in place of the old one: nothing is left of what that one had mapped."""
        nat = self._nat(number)
        device = self._namespace(next(name for name, behind in self.behind.items() if behind == number))
        if nat in self.made:
            sh("ip", "netns", "del", nat)
            self.made.remove(nat)
            self._wait_until_gone(device)
        self._add(nat)
        self._plug(nat, f"{OUTSIDE}.{100 + number}")
        sh("ip", "link", "add", "lan", "netns", nat, "type", "veth", "peer", "name", "eth0", "netns", device)
        for namespace, link, host in ((nat, "lan", 1), (device, "eth0", 2)):
            sh("ip", "-n", namespace, "addr", "add", f"192.168.{number}.{host}/24", "dev", link)
            sh("ip", "-n", namespace, "link", "set", link, "up")
        self._wait_until_up(device)
        sh("ip", "-n", device, "route", "add", "default", "via", f"192.168.{number}.1")
        sh("ip", "netns", "exec", nat, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        sh("ip", "netns", "exec", nat, "nft", "-f", "-", text=_rules("eth0", random_ports))

    @staticmethod
    def _wait_until_gone(device):
        """The kernel takes a namespace's links apart in its own time."""
        for _ in range(100):
            if "eth0" not in sh("ip", "-n", device, "-o", "link"):
                return
            time.sleep(0.05)
        raise RuntimeError("an old router stays")

    @staticmethod
    def _wait_until_up(device):
        for _ in range(100):
            if "LOWER_UP" in sh("ip", "-n", device, "-o", "link", "show", "eth0"):
                return
            time.sleep(0.05)
        raise RuntimeError("a link does not come up")

    def packets_refused(self):
        """By all NATs, since they were set."""
        refused = 0
        for number in self.behind.values():
            rules = sh("ip", "netns", "exec", self._nat(number), "nft", "list", "ruleset")
            refused += sum(int(count) for count in re.findall(r"counter packets (\d+) bytes \d+ drop", rules))
        return refused

    def ip(self, name):
        return self.addresses[name]

    def inside(self, name):
        return ["ip", "netns", "exec", self._namespace(name)]

    def close(self):
        for namespace in reversed(self.made):
            subprocess.run(["ip", "netns", "del", namespace], check=False, stderr=subprocess.DEVNULL)


def _rules(outside, random_ports):
    how = "masquerade fully-random" if random_ports else "masquerade"
    return f"""
flush ruleset
table ip hearth {{
  chain leaving {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "{outside}" {how}
  }}
  chain entering {{
    type filter hook input priority filter; policy accept;
    iifname "{outside}" ct state new counter drop
  }}
  chain passing {{
    type filter hook forward priority filter; policy accept;
    iifname "{outside}" ct state new counter drop
  }}
}}
"""
