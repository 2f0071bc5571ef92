"""One dictation on the watch, with or without a fault in the middle of a sentence."""

import json
import os
import queue
import subprocess
import threading
import time

from fleet import BIN, DemoError

SILENCE_ENDS_IT_S = 90
GIVEN_BACK_AFTER_S = 0.2  # a lost device that the job waits for


class Fault:
    """Loses a device, and gives it back if the job would otherwise wait for ever."""

    def __init__(self, fleet, kind, device=None):
        self.fleet, self.kind, self.device = fleet, kind, device
        self.at_ms = None

    def strike(self, device):
        self.device = self.device or device
        self.at_ms = time.time() * 1000
        if self.kind == "kill":
            self.fleet.kill(self.device)
        else:
            self.fleet.network.cut(self.device)

    def undo(self):
        if self.kind == "kill":
            self.fleet.start(self.device)
        else:
            self.fleet.network.mend(self.device)


class Dictation:
    def __init__(self, fleet, recording, show):
        self.fleet, self.recording, self.show = fleet, recording, show
        self.events, self.pieces = [], []
        self.placement = {}
        self.error = ""

    @property
    def text(self):
        return " ".join(piece["text"].strip() for piece in self.pieces)

    def run(self, fault=None, strike_at_s=None):
        sink = subprocess.Popen(
            self.fleet.network.inside("watch") + [os.path.join(BIN, "text-sink"), "--json", "--home",
                                                  self.fleet.home("watch"), "--wav", self.recording],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lines = queue.Queue()
        threading.Thread(target=lambda: [lines.put(line) for line in sink.stdout] + [lines.put(None)],
                         daemon=True).start()
        strike_at = None
        struck = undone = False
        undo_at = None
        last_news = time.monotonic()
        while True:
            now = time.monotonic()
            if fault and not struck and strike_at and now >= strike_at:
                struck = True
                self.show.fault(fault.kind, fault.device or self.placement["transcribe"])
                fault.strike(self.placement["transcribe"])
            if undo_at and not undone and now >= undo_at:
                undone = True
                fault.undo()
            try:
                line = lines.get(timeout=0.01)
            except queue.Empty:
                if now - last_news > SILENCE_ENDS_IT_S:
                    sink.kill()
                    raise DemoError("the dictation stands still")
                continue
            if line is None:
                break
            last_news = now
            news = json.loads(line)
            self._take(news)
            if news.get("event") == "started" and news["stage"] == "mic" and strike_at_s:
                strike_at = now + strike_at_s
            if news.get("event") == "waiting" and struck and undo_at is None:
                undo_at = now + GIVEN_BACK_AFTER_S
        self.error = sink.stderr.read().strip()
        if sink.wait() != 0:
            raise DemoError(f"the dictation failed: {self.error}")
        if fault and struck and not undone:
            fault.undo()
        if fault and not struck:
            raise DemoError("the dictation was over before the fault came")
        return self

    def _take(self, news):
        if "text" in news:
            self.pieces.append(news)
            self.show.text(news["text"])
            return
        self.events.append(news)
        if news["event"] == "placed":
            self.placement[news["stage"]] = news["device"]
        self.show.event(news)

    def _lost(self, fault):
        """When each stage was given up that the fault took, by stage."""
        lost = {}
        for event in self.events:
            if event["event"] == "lost" and event["device"] == fault.device and event["at_ms"] >= fault.at_ms - 1:
                lost.setdefault(event["stage"], event["at_ms"])
        if not lost:
            raise DemoError("the fault took no stage")
        return lost

    def notice_ms(self, fault):
        return max(self._lost(fault).values()) - fault.at_ms

    def failover_ms(self, fault):
        def first_frame_after(stage, at_ms):
            return min(event["at_ms"] for event in self.events if event["event"] == "first-frame"
                       and event["stage"] == stage and event["at_ms"] >= at_ms)
        return max(first_frame_after(*stage) for stage in self._lost(fault).items()) - fault.at_ms


def middle_of_speech(path):
    """Seconds into a WAV file at which somebody has been speaking for most of a second, as near to the
    file's middle as can be; None where that cannot be told."""
    import array
    import wave
    try:
        with wave.open(path) as wav:
            if wav.getsampwidth() != 2:
                return None
            rate, channels = wav.getframerate(), wav.getnchannels()
            samples = array.array("h", wav.readframes(wav.getnframes()))
    except (wave.Error, EOFError, OSError):
        return None
    step = rate // 10 * channels
    loudness = [sum(abs(s) for s in samples[i:i + step]) / step for i in range(0, len(samples) - step, step)]
    if len(loudness) < 15:
        return None
    threshold = sorted(loudness)[len(loudness) // 2] * 0.5
    spoken = [value > threshold for value in loudness]
    good = [i for i in range(10, len(spoken) - 3) if sum(spoken[i - 8:i + 2]) >= 8 and spoken[i]]
    if not good:
        return None
    return min(good, key=lambda i: abs(i - len(spoken) / 2)) / 10
