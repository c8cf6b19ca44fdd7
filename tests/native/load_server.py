#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers for load.t, each good or bad in one way: load_server.py KIND...

Prints a line "KIND PORT" for each, all on 127.0.0.1, and serves until it is ended.
"""
import asyncio
import socket
import struct
import sys

PAGE = b"ringpace " * 100


async def copy(reader, writer, limit=None):
    """What comes in goes back; up to a number of pieces."""
    while limit is None or limit > 0:
        data = await reader.read(65536)
        if not data:
            break
        writer.write(data)
        await writer.drain()
        limit = None if limit is None else limit - 1


async def echo(reader, writer):
    await copy(reader, writer)


async def counted(reader, writer):
    """Says so when a hundred requests have come."""
    while data := await reader.read(65536):
        writer.write(data)
        counted.n += 1
        if counted.n == 100:
            print("served-100 0", flush=True)


async def pieces(reader, writer):
    """One byte at a time, each in a segment of its own."""
    while data := await reader.read(65536):
        for i in range(len(data)):
            writer.write(data[i:i + 1])
            await writer.drain()
            await asyncio.sleep(0)


async def reset(reader, writer):
    await copy(reader, writer, 5)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def close(reader, writer):
    await copy(reader, writer, 5)


async def stall(reader, writer):
    """Answers a little, then reads on and says nothing."""
    await copy(reader, writer, 5)
    while await reader.read(65536):
        pass


async def deaf(reader, writer):
    """Answers a little, then does not even read."""
    await copy(reader, writer, 5)
    await asyncio.sleep(3600)


async def garbage(reader, writer):
    await copy(reader, writer, 5)
    while data := await reader.read(65536):
        writer.write(bytes(255 - b for b in data))


async def slow(reader, writer):
    """One request at a time in all, 10 ms each."""
    while data := await reader.readexactly(64):
        async with slow.lock:
            await asyncio.sleep(0.01)
        writer.write(data)


async def memcached(reader, writer):
    store = memcached.store
    while line := await reader.readline():
        words = line.split()
        if words[0] == b"get":
            value = store.get(words[1])
            if value is not None:
                writer.write(b"VALUE %s 0 %d\r\n%s\r\n" % (words[1], len(value), value))
            writer.write(b"END\r\n")
            memcached.gets += 1
        elif words[0] == b"set":
            store[words[1]] = (await reader.readexactly(int(words[4]) + 2))[:-2]
            writer.write(b"STORED\r\n")
        else:
            writer.write(b"ERROR\r\n")
        # Behind the first gets it forgets, and runs out of memory.
        if memcached.forgets and memcached.gets > 50:
            store.clear()


async def forgetful(reader, writer):
    memcached.forgets = True
    await memcached(reader, writer)


async def http(reader, writer):
    while await reader.readline():
        while (await reader.readline()).strip():
            pass
        if http.n % 2:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                         b"".join(b"%x\r\n%s\r\n" % (len(p), p)
                                  for p in (PAGE[:100], PAGE[100:])) + b"0\r\n\r\n")
        http.n += 1


async def http404(reader, writer):
    """The page is there, and after some time it is not."""
    while await reader.readline():
        while (await reader.readline()).strip():
            pass
        http404.n += 1
        status = b"200 OK" if http404.n < 30 else b"404 Not Found"
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\nhi" % status)


slow.lock = asyncio.Lock()
memcached.store, memcached.gets, memcached.forgets = {}, 0, False
counted.n = http.n = http404.n = 0


class UdpEcho(asyncio.DatagramProtocol):
    def __init__(self, drop):
        self.drop, self.n = drop, 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.n += 1
        if not self.drop or self.n % self.drop:
            self.transport.sendto(data, addr)


def guarded(handler):
    async def run(reader, writer):
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
    return run


async def start(kind):
    if kind in ("udp", "udplossy"):
        drop = 10 if kind == "udplossy" else 0
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: UdpEcho(drop), ("127.0.0.1", 0))
        return transport, transport.get_extra_info("sockname")[1]
    server = await asyncio.start_server(guarded(globals()[kind]), "127.0.0.1", 0, backlog=4096)
    return server, server.sockets[0].getsockname()[1]


async def main():
    kept = []
    for kind in sys.argv[1:]:
        server, port = await start(kind)
        kept.append(server)
        print(kind, port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
