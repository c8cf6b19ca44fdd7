#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a host does at a tap: ping ADDRESS COUNT [BYTES]; serve PORT; send ADDRESS PORT BYTES.

ping waits for each reply; serve takes one connection and prints how many bytes came, and the
sum of them; send does the same for what it sends."""
import os
import socket
import struct
import sys
import zlib

WAIT_S = 60


def checksum(data):
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(address, count, size=56):
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    sock.settimeout(WAIT_S)
    me = os.getpid() & 0xFFFF
    for seq in range(int(count)):
        payload = bytes(i % 251 for i in range(int(size)))
        head = struct.pack("!BBHHH", 8, 0, 0, me, seq)
        head = struct.pack("!BBHHH", 8, 0, checksum(head + payload), me, seq)
        sock.sendto(head + payload, (address, 0))
        while True:
            data = sock.recv(65535)[20:]
            if struct.unpack("!BBxxHH", data[:8]) == (0, 0, me, seq) and data[8:] == payload:
                break


def report(total, crc):
    print(total, crc)


def serve(port):
    listener = socket.create_server(("", int(port)))
    listener.settimeout(WAIT_S)
    conn, _ = listener.accept()
    conn.settimeout(WAIT_S)
    total, crc = 0, 0
    while data := conn.recv(1 << 18):
        total += len(data)
        crc = zlib.crc32(data, crc)
    report(total, crc)


def send(address, port, total):
    conn = socket.create_connection((address, int(port)), WAIT_S)
    left, crc = int(total), 0
    block = bytes(i * 7 % 251 for i in range(1 << 16))
    while left:
        data = block[:left]
        conn.sendall(data)
        crc = zlib.crc32(data, crc)
        left -= len(data)
    conn.close()
    report(int(total), crc)


if __name__ == "__main__":
    {"ping": ping, "serve": serve, "send": send}[sys.argv[1]](*sys.argv[2:])
