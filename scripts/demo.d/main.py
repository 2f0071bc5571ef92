"""The demonstration: see scripts/demo --help."""

import argparse
import json
import os
import shutil
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from align import lost_and_doubled  # noqa: E402
from dictation import Dictation, Fault, middle_of_speech  # noqa: E402
from fleet import CARRIES, ROOT, DemoError, Fleet  # noqa: E402
from network import best_network  # noqa: E402

STRIKE_DEFAULT_S = 1.5


class Show:
    """What a person sees. With --json the story goes to standard error."""

    def __init__(self, as_json):
        self.out = sys.stderr if as_json else sys.stdout
        self.bold, self.red, self.dim, self.plain = ("\033[1m", "\033[31m", "\033[2m", "\033[0m") \
            if self.out.isatty() else ("", "", "", "")
        self.begun = time.monotonic()
        self.inline = False

    def line(self, text=""):
        print(("\n" if self.inline else "") + text, file=self.out, flush=True)
        self.inline = False

    def step(self, text):
        self.line(f"{self.dim}[{time.monotonic() - self.begun:6.1f} s]{self.plain} {text}")

    def title(self, text):
        self.line()
        self.line(f"{self.bold}{text}{self.plain}")

    def text(self, text):
        print(("" if self.inline else "    ") + text, end=" ", file=self.out, flush=True)
        self.inline = True

    def fault(self, kind, device):
        self.step(f"{self.red}{'kill -9 of hearthd on' if kind == 'kill' else 'cutting the link of'} "
                  f"the {device}{self.plain}")

    def event(self, event):
        if event["event"] == "placed":
            self.step(f"{event['stage']:<11} {event['message']}")
        elif event["event"] in ("lost", "failed", "waiting", "resumed"):
            self.step(f"{self.red}{event['event']}{self.plain} {event['stage']} "
                      f"{'on ' + event['device'] if event['device'] else ''}: {event['message']}")


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("recording", nargs="?", default=os.path.join(ROOT, "build/release/speech/demo.wav"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--lose", choices=[device for device in CARRIES if device != "watch"])
    parser.add_argument("--loopback", action="store_true")
    return parser.parse_args()


def tell_why(fleet, show):
    show.title("Why it ran there (hearth why)")
    for line in fleet.hearth("watch", "why").splitlines():
        show.line("  " + line)


def run(options, show):
    if shutil.disk_usage("/tmp").free < 1 << 30:
        raise DemoError("less than 1 GiB is free in /tmp: make room first")
    network = best_network(list(CARRIES), options.loopback)
    fleet = Fleet(network, show.step)
    try:
        show.title(f"Four devices, on {network.name}")
        fleet.bring_together()
        show.title("Undisturbed")
        calm = Dictation(fleet, options.recording, show).run()
        faults = [Fault(fleet, kind, options.lose)
                  for kind in (["kill", "cut"] if network.can_cut else ["kill"])]
        strike_at_s = middle_of_speech(options.recording) or STRIKE_DEFAULT_S
        disturbed = []
        for fault in faults:
            show.title("The same, and a device is lost in mid-sentence")
            disturbed.append(Dictation(fleet, options.recording, show).run(fault, strike_at_s))
            fleet.wait_until_back(fault.device)
        tell_why(fleet, show)
        return report(calm, disturbed, faults, network.packets_elsewhere())
    finally:
        fleet.close()
        network.close()


def report(calm, disturbed, faults, packets_elsewhere):
    differences = [lost_and_doubled(calm.text, other.text) for other in disturbed]
    latencies = [piece["latency_ms"] for piece in calm.pieces if piece["latency_ms"] >= 0]
    return {
        "placement": calm.placement,
        "text": calm.text,
        "text_after_loss": [other.text for other in disturbed],
        "lost_words": max(lost for lost, _ in differences),
        "doubled_words": max(doubled for _, doubled in differences),
        "end_of_speech_to_text_ms": round(statistics.median(latencies)) if latencies else None,
        "failover_ms": round(max(d.failover_ms(f) for d, f in zip(disturbed, faults))),
        "notice_ms": round(max(d.notice_ms(f) for d, f in zip(disturbed, faults))),
        "packets_elsewhere": packets_elsewhere,
    }


def main():
    options = arguments()
    show = Show(options.json)
    if not os.path.isfile(options.recording):
        print(f"demo: {options.recording} is not there", file=sys.stderr)
        return 2
    try:
        result = run(options, show)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    show.title("Measured")
    for key in ("lost_words", "doubled_words", "end_of_speech_to_text_ms", "failover_ms", "notice_ms",
                "packets_elsewhere"):
        show.line(f"  {key:<26} {result[key]}")
    if options.json:
        print(json.dumps(result), flush=True)
    return 0


sys.exit(main())
