"""Counts IP packets of one network namespace whose source or destination is no demo device.

Runs inside the namespace until SIGTERM, then writes the count and up to ten examples as JSON.
Usage: capture.py OUT.json ADDRESS...
"""

import json
import signal
import socket
import sys

ETH_P_ALL = 3
ETH_HEADER_BYTES = 14
MDNS_PORT = 5353


def addresses_of(frame):
    """(source, destination, is it excluded) of an IP packet, or None."""
    kind, packet = frame[12:14], frame[ETH_HEADER_BYTES:]
    if kind == b"\x08\x00" and len(packet) >= 20:
        header = (packet[0] & 15) * 4
        udp = packet[9] == 17 and len(packet) >= header + 4
        mdns = udp and int.from_bytes(packet[header + 2:header + 4], "big") == MDNS_PORT
        return socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20]), mdns
    if kind == b"\x86\xdd" and len(packet) >= 40:
        udp = packet[6] == 17 and len(packet) >= 44
        mdns = udp and int.from_bytes(packet[42:44], "big") == MDNS_PORT
        # Neighbour and router discovery, and the multicast groups that they join (RFC 4861, 3810).
        discovery = packet[6] == 0 or (packet[6] == 58 and packet[40] in range(130, 144))
        source = socket.inet_ntop(socket.AF_INET6, packet[8:24])
        return source, socket.inet_ntop(socket.AF_INET6, packet[24:40]), mdns or discovery
    return None


def main():
    out, devices = sys.argv[1], set(sys.argv[2:])
    seen = {"packets": 0, "elsewhere": 0, "examples": []}

    def finish(*_):
        with open(out, "w", encoding="utf-8") as file:
            json.dump(seen, file)
        sys.exit(0)

    signal.signal(signal.SIGTERM, finish)
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    print("capturing", flush=True)
    own = lambda address: address in devices or address.startswith("127.")
    while True:
        found = addresses_of(packets.recv(2048))
        if found is None:
            continue
        source, destination, excluded = found
        seen["packets"] += 1
        if not excluded and not (own(source) and own(destination)):
            seen["elsewhere"] += 1
            if len(seen["examples"]) < 10:
                seen["examples"].append(f"{source} > {destination}")


main()
