#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A bad wire: bad_wire.py TAP DEVICE [NAME=PER-MILLE...]

Makes the tap TAP and carries frames between it and the network device DEVICE, both ways:

	Linux's TCP -- TAP, this program, DEVICE -- whoever is there

Of a thousand frames so many are lost (lose=), doubled (twice=), or held back until some
later ones have passed (overtake=). Checksums that are still to be computed stay so: a
virtio_net_hdr goes with each frame. SIGUSR1 cuts the wire, and mends it again.

Prints a line when it is there, and one of JSON with what it did after SIGTERM. RP_SEED: of
its dice."""
import fcntl
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time

IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
TUNSETIFF = 0x400454CA
PACKET_VNET_HDR = 15
ETH_P_ALL = 3
HDR_BYTES = 10
FRAME_BYTES = HDR_BYTES + 65536
# One that is held back goes after so many others, or, when none come, after that time.
BACK_FRAMES = 5
BACK_S = 0.02


def open_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    return fd


def open_device(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.setsockopt(263, PACKET_VNET_HDR, 1)  # SOL_PACKET
    s.bind((name, ETH_P_ALL))
    s.setblocking(False)
    return s


class Way:
    """One direction of the wire."""

    def __init__(self, read, write, dice, per_mille):
        self.read, self.write, self.dice, self.per_mille = read, write, dice, per_mille
        self.back = []  # [frame, how many others are to pass, until when]
        self.did = dict.fromkeys(("passed", "lost", "twice", "overtaken", "refused"), 0)

    def hit(self, what):
        return self.dice.random() * 1000 < self.per_mille[what]

    def put(self, frame):
        try:
            self.write(frame)
            self.did["passed"] += 1
        except OSError:
            self.did["refused"] += 1

    def release(self, passed):
        """What was held back long enough; @passed: others that have passed now."""
        now, still = time.monotonic(), []
        for held in self.back:
            held[1] -= passed
            if held[1] > 0 and now < held[2]:
                still.append(held)
            else:
                self.put(held[0])
        self.back = still

    def carry(self, frame, cut):
        if cut or self.hit("lose"):
            self.did["lost"] += 1
        elif self.hit("overtake"):
            self.did["overtaken"] += 1
            self.back.append([frame, BACK_FRAMES, time.monotonic() + BACK_S])
        else:
            self.put(frame)
            if self.hit("twice"):
                self.did["twice"] += 1
                self.put(frame)
            self.release(1)

    def turn(self, cut):
        try:
            while True:
                self.carry(self.read(), cut)
        except BlockingIOError:
            self.release(0)


def from_device(s):
    """Not what this program has sent itself, which comes by on its way out."""
    while True:
        frame, address = s.recvfrom(FRAME_BYTES)
        if address[2] != socket.PACKET_OUTGOING:
            return frame


def main():
    per_mille = {"lose": 0, "twice": 0, "overtake": 0}
    for word in sys.argv[3:]:
        name, value = word.split("=")
        assert name in per_mille, name
        per_mille[name] = float(value)
    cut = ends = False

    def on_signal(number, _):
        nonlocal cut, ends
        if number == signal.SIGUSR1:
            cut = not cut
        else:
            ends = True

    for number in signal.SIGUSR1, signal.SIGTERM:
        signal.signal(number, on_signal)
    dice = random.Random(int(os.environ.get("RP_SEED", "1")))
    tap, device = open_tap(sys.argv[1]), open_device(sys.argv[2])
    to = Way(lambda: os.read(tap, FRAME_BYTES), device.send, dice, per_mille)
    fro = Way(lambda: from_device(device), lambda f: os.write(tap, f), dice, per_mille)
    print(f"{sys.argv[1]} = {sys.argv[2]}", flush=True)
    while not ends:
        wait = BACK_S if to.back or fro.back else 0.2
        select.select([tap, device], [], [], wait)
        to.turn(cut)
        fro.turn(cut)
    print(json.dumps({"to": to.did, "from": fro.did}), flush=True)


main()
