#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# A VMM that tells a port what its guest wants of RSS: taken if it can be, else
# refused by a reply and nothing changed; a message that is none of the protocol's
# costs the connection.
import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from vhost_user import *

SET_RSS, F_NET_RSS, F_RSS = 63, 1 << 56, 1 << 60
NEED_REPLY = 1 | 1 << 3
TCPV4, UDPV4, IP_EX = 1 << 1, 1 << 2, 1 << 6
KEY = bytes(range(40))
PORTS = ["--port", "p,socket={dir}/p.sock,pairs=4,rss=16", "--port", "q,socket={dir}/q.sock",
         "--link", "p,q"]


def message(table, types=TCPV4 | UDPV4, unclassified=0, key=KEY, entries=None):
    entries = len(table) if entries is None else entries
    return struct.pack("<IHBB40s128s", types, entries, unclassified, 0, key, bytes(table))


def connect(d, port="p", protocol=None):
    number = "pq".index(port)
    wait_for(lambda: not d.ask("list")["ports"][number]["connected"], "the port to be free")
    f = Frontend(os.path.join(d.dir, f"{port}.sock"))
    f.send(SET_OWNER)
    f.offered = f.ask_u64(GET_FEATURES)
    f.protocol = f.ask_u64(GET_PROTOCOL_FEATURES) if protocol is None else protocol
    f.send(SET_PROTOCOL_FEATURES, struct.pack("<Q", f.protocol))
    return f


def rss(d):
    return d.ask("rss", device="p")


def taken(d):
    f = connect(d)
    assert f.offered & F_RSS and f.protocol & F_NET_RSS
    assert f.ask_u64(SET_RSS, message([3, 1] * 64, unclassified=2), flags=NEED_REPLY) == 0
    now = rss(d)
    assert now["set_by"] == "guest" and now["table"] == [3, 1] * 64, now
    assert now["key"] == KEY.hex() and now["types"] == ["tcpv4", "udpv4"], now
    assert now["unclassified"] == 2, now
    f.send(SET_RSS, message([2]), flags=NEED_REPLY)
    # Version 1, a reply, and nothing else.
    assert struct.unpack("<IIIQ", f.recv_exactly(20)) == (SET_RSS, 1 | 1 << 2, 8, 0)
    assert rss(d)["table"] == [2]
    return f


def until_it_goes(d):
    before = rss(d)
    assert before["set_by"] == "host" and before["table"] == [0, 1, 2, 3] * 4
    f = taken(d)
    assert f.ask_u64(SET_RSS, message([], types=0), flags=NEED_REPLY) == 0
    assert rss(d) == before
    f.close()
    taken(d).close()
    wait_for(lambda: rss(d)["set_by"] == "host", "the guest to be forgotten")
    assert rss(d) == before


def host_over_guest(d):
    f = taken(d)
    d.ask("rss", device="p", entry={"0": 1})
    assert rss(d)["set_by"] == "guest" and rss(d)["table"] == [1]
    f.close()
    wait_for(lambda: rss(d)["table"] == [0, 1, 2, 3] * 4, "the host's own table")


REFUSED = {
    "a pair that is not there": message([0, 4]),
    "pair 255": message([255] * 128),
    "entries that are no power of two": message([0, 1, 2]),
    "too many entries": message([0] * 128, entries=256),
    "65535 entries": message([0] * 128, entries=65535),
    "an unclassified pair that is not there": message([0], unclassified=4),
    "a type that is not offered": message([0], types=TCPV4 | IP_EX),
    "all types": message([0], types=0xffffffff),
}


def refused(payload):
    def test(d):
        f = taken(d)
        before = rss(d)
        assert f.ask_u64(SET_RSS, payload, flags=NEED_REPLY) == 1
        # Without a wish for a reply there is none.
        f.send(SET_RSS, payload)
        assert f.ask_u64(SET_RSS, message([2]), flags=NEED_REPLY) == 0
        assert rss(d) == before
        f.close()
    return test


BAD = {
    "a payload that is too short": (SET_RSS, message([0])[:-1]),
    "a payload that is too long": (SET_RSS, message([0]) + b"0"),
    "nothing": (SET_RSS, b""),
    "a request next to it": (62, message([0])),
    "request 64": (64, message([0])),
    "request 127": (127, message([0])),
}


def closed(request, payload, **how):
    def test(d):
        f = connect(d, **how)
        f.send(request, payload)
        assert f.wait_closed()
        f.close()
        assert rss(d)["set_by"] == "host"
    return test


def with_descriptor(d):
    f = connect(d)
    f.send(SET_RSS, message([0]), [f.eventfd()])
    assert f.wait_closed()
    f.close()


def not_offered(d):
    f = connect(d, "q")
    assert not f.offered & F_RSS and not f.protocol & F_NET_RSS
    f.send(SET_RSS, message([0]))
    assert f.wait_closed()
    f.close()


def main():
    exit_on_sigterm()
    tap = Tap()
    for build, program in programs(tap):
        d = Daemon(program, more=PORTS)
        tests = [("in force until its guest goes", until_it_goes),
                 ("an order over it", host_over_guest)]
        tests += [(f"refused: {name}", refused(payload)) for name, payload in REFUSED.items()]
        tests += [(f"closed: {name}", closed(*bad)) for name, bad in BAD.items()]
        tests += [("closed: without its feature", closed(SET_RSS, message([0]), protocol=1 << 3)),
                  ("closed: a descriptor", with_descriptor),
                  ("closed: a port that does not steer", not_offered)]
        for name, test in tests:
            tap.run(f"{build}: {name}", test, d)
        tap.run(f"{build}: and still it serves", Daemon.serves, d)
        tap.check(d.stop() == 0, f"{build}: exit status 0", d.log()[-4000:])
        d.remove()
    return tap.end()


sys.exit(main())
