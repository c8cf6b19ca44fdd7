# SPDX-License-Identifier: GPL-2.0-or-later
"""A minimal vhost-user backend for tests of QEMU: it consumes fwd queues.

It knows split rings with one descriptor an item, takes what is there at each
kick, and asks for a kick at the next item (EVENT_IDX). What it saw is kept
for the test to look at; what it offers can be made wrong on purpose.
"""
import array
import mmap
import os
import select
import socket
import struct
import threading

# Requests of the vhost-user protocol.
(GET_FEATURES, SET_FEATURES, SET_OWNER, _RESET_OWNER, SET_MEM_TABLE, _LOG_BASE,
 _LOG_FD, VRING_NUM, VRING_ADDR, VRING_BASE, GET_VRING_BASE, VRING_KICK,
 VRING_CALL, VRING_ERR, GET_PROTOCOL, SET_PROTOCOL, GET_QUEUE_NUM,
 VRING_ENABLE) = range(1, 19)
GET_CONFIG = 24

F_MQ, F_REV = 1 << 0, 1 << 1
F_INDIRECT, F_EVENT_IDX, F_PROTOCOL, F_VERSION_1 = 1 << 28, 1 << 29, 1 << 30, 1 << 32
FEATURES = F_MQ | F_REV | F_INDIRECT | F_EVENT_IDX | F_PROTOCOL | F_VERSION_1
PROTOCOL_MQ, PROTOCOL_CONFIG = 1 << 0, 1 << 9
CONFIG = struct.pack("<HHIII", 1, 64, 64, 65536, 0)     # struct virtio_pc_config
NO_FD = 1 << 8


class Ring:
    """One virtqueue, as the device sees it."""

    def __init__(self):
        self.num = self.base = self.next = 0
        self.desc = self.used = self.avail = None
        self.kick = self.call = -1
        self.enabled = False


class Peer(threading.Thread):
    """Listens on a path and serves one connection after the other."""

    def __init__(self, path, features=FEATURES, queues=128, config=CONFIG,
                 hang_up=False):
        super().__init__(daemon=True)
        self.path, self.features, self.queues = path, features, queues
        self.config = config
        self.hang_up = hang_up      # close every connection at once
        self.connections = 0
        self.items = []             # sequence numbers, as they came
        self.bases = {}             # queue -> index it was told to start at
        self.acked = 0
        self.error = None
        self.sock = socket.socket(socket.AF_UNIX)
        if os.path.exists(path):
            os.unlink(path)
        self.sock.bind(path)
        self.sock.listen(4)
        self.wake_rd, self.wake_wr = os.pipe()

    def stop(self):
        """Goes away as a killed daemon does: the kernel closes everything."""
        os.write(self.wake_wr, b"x")
        self.join()
        if self.error:
            raise self.error

    def run(self):
        try:
            while True:
                ready, _, _ = select.select([self.sock, self.wake_rd], [], [])
                if self.wake_rd in ready:
                    break
                conn, _ = self.sock.accept()
                self.connections += 1
                if not self.hang_up and not self.serve(conn):
                    break
                conn.close()
        except Exception as err:    # told by stop(), in the test's thread
            self.error = err
        self.sock.close()
        os.unlink(self.path)

    def serve(self, conn):
        self.conn, self.rings, self.regions = conn, {}, []
        try:
            while True:
                # A kick of a ring that is not enabled stays for later.
                kicks = {r.kick: q for q, r in self.rings.items()
                         if r.kick >= 0 and r.enabled}
                ready, _, _ = select.select([conn, self.wake_rd, *kicks], [], [])
                if self.wake_rd in ready:
                    return False
                for fd in ready:
                    if fd in kicks:
                        os.read(fd, 8)
                        self.consume(kicks[fd])
                if conn in ready and not self.message():
                    return True
        finally:
            for ring in self.rings.values():
                for fd in (ring.kick, ring.call):
                    if fd >= 0:
                        os.close(fd)
            conn.close()

    # ---- messages ----

    def message(self):
        try:
            head, fds, _, _ = socket.recv_fds(self.conn, 12, 16)
        except ConnectionResetError:
            return False
        if not head:
            return False
        request, _, size = struct.unpack("<III", head)
        body = self.conn.recv(size, socket.MSG_WAITALL) if size else b""
        self.handle(request, body, fds)
        return True

    def reply(self, request, body):
        self.conn.sendall(struct.pack("<III", request, 0x5, len(body)) + body)

    def handle(self, request, body, fds):
        word = struct.unpack("<Q", body[:8])[0] if len(body) >= 8 else 0
        index, num = word & 0xffffffff, word >> 32
        if request == GET_FEATURES:
            self.reply(request, struct.pack("<Q", self.features))
        elif request == GET_PROTOCOL:
            self.reply(request, struct.pack(
                "<Q", PROTOCOL_MQ | PROTOCOL_CONFIG * bool(self.config)))
        elif request == GET_QUEUE_NUM:
            self.reply(request, struct.pack("<Q", self.queues))
        elif request == GET_CONFIG:
            self.reply(request, body[:12] + self.config)
        elif request == SET_FEATURES:
            self.acked = word
        elif request == SET_MEM_TABLE:
            self.map_memory(body, fds)
            return
        elif request == VRING_NUM:
            self.ring(index).num = num
        elif request == VRING_BASE:
            self.bases[index] = self.ring(index).next = num
        elif request == VRING_ADDR:
            _, _, desc, used, avail, _ = struct.unpack("<IIQQQQ", body)
            ring = self.ring(index)
            ring.desc, ring.used, ring.avail = desc, used, avail
        elif request == GET_VRING_BASE:
            ring = self.rings.pop(index, Ring())
            self.reply(request, struct.pack("<II", index, ring.next))
        elif request in (VRING_KICK, VRING_CALL):
            self.set_fd(request, word, fds)
            return
        elif request == VRING_ENABLE:
            self.ring(index).enabled = bool(num)
        for fd in fds:
            os.close(fd)

    def set_fd(self, request, word, fds):
        ring = self.ring(word & 0xff)
        name = "kick" if request == VRING_KICK else "call"
        if getattr(ring, name) >= 0:
            os.close(getattr(ring, name))
        setattr(ring, name, -1 if word & NO_FD else fds[0])

    def ring(self, index):
        return self.rings.setdefault(index, Ring())

    # ---- memory and rings ----

    def map_memory(self, body, fds):
        self.regions = []
        for i, fd in enumerate(fds):
            phys, size, user, offset = struct.unpack_from("<QQQQ", body, 8 + 32 * i)
            view = memoryview(mmap.mmap(fd, size + offset))[offset:]
            self.regions.append((phys, user, size, view))
            os.close(fd)

    def at(self, user, length):
        """A writable view of QEMU's user address."""
        for _, start, size, view in self.regions:
            if start <= user and user + length <= start + size:
                return view[user - start:user - start + length]
        raise AssertionError(f"user address {user:#x} is in no region")

    def guest(self, phys, length):
        for start, _, size, view in self.regions:
            if start <= phys and phys + length <= start + size:
                return view[phys - start:phys - start + length]
        raise AssertionError(f"guest address {phys:#x} is in no region")

    def read16(self, user):
        return struct.unpack("<H", self.at(user, 2))[0]

    def consume(self, queue):
        ring = self.ring(queue)
        if queue % 2 or ring.avail is None:
            return
        while ring.next != self.read16(ring.avail + 2):
            slot = ring.next % ring.num
            head = self.read16(ring.avail + 4 + 2 * slot)
            addr, _, _, _ = struct.unpack(
                "<QIHH", self.at(ring.desc + 16 * head, 16))
            self.items.append(*struct.unpack("<Q", self.guest(addr, 8)))
            self.at(ring.used + 4 + 8 * slot, 8)[:] = struct.pack("<II", head, 0)
            ring.next = (ring.next + 1) & 0xffff
            self.at(ring.used + 2, 2)[:] = struct.pack("<H", ring.next)
        self.at(ring.used + 4 + 8 * ring.num, 2)[:] = struct.pack("<H", ring.next)
        if ring.call >= 0:
            os.write(ring.call, array.array("Q", [1]).tobytes())
