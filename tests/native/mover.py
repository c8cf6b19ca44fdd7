# SPDX-License-Identifier: GPL-2.0-or-later
"""Orders to rp-dataplane by its control socket: flow groups that move all the time."""
import json
import socket
import threading
import time

LIMIT_S = 120


class Mover(threading.Thread):
    """All flow groups, from thread to thread, until so many moves are done."""

    def __init__(self, path, goal):
        super().__init__()
        self.control = socket.socket(socket.AF_UNIX)
        self.control.settimeout(LIMIT_S)
        self.control.connect(path)
        self.lines = self.control.makefile()
        self.goal, self.error = goal, None

    def ask(self, **order):
        self.control.sendall(json.dumps({"v": 1, **order}).encode() + b"\n")
        reply = json.loads(self.lines.readline())
        assert reply["ok"], reply
        return reply["result"]

    def settle(self):
        while True:
            moves = self.ask(cmd="status")["moves"]
            if not moves["under_way"]:
                return moves
            time.sleep(0.001)

    def move(self):
        n, by = len(self.ask(cmd="status")["threads"]), 0
        while self.settle()["done"] < self.goal:
            by += 1
            for to in range(n):
                self.ask(cmd="migrate", to=to, groups=[g for g in range(128) if (g + by) % n == to])
            time.sleep(0.01)

    def run(self):
        try:
            self.move()
        except BaseException as e:
            self.error = e
