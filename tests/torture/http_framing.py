"""Requests whose end a proxy and this server could see in different places, each with a second request hidden in it, directly after
a good one. None is answered as if it were valid, and the hidden request is never answered. Also floods of HTTP/2 frames."""

import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "shared"))
from target import FULL, Target, call, check

from hyperframe.frame import ContinuationFrame, DataFrame, PingFrame, PriorityFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

HIDDEN = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
START = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

CASES = {
    "a length and a transfer coding": f"{START}Content-Length: {len(HIDDEN) + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a transfer coding and a length": f"{START}Transfer-Encoding: chunked\r\nContent-Length: {len(HIDDEN) + 5}\r\n\r\n0\r\n\r\n{HIDDEN}",
    "two lengths that are equal": f"{START}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}{HIDDEN}",
    "a list of lengths": f"{START}Content-Length: 2, 2\r\n\r\n{{}}{HIDDEN}",
    "a line feed after the request line": f"GET /healthz HTTP/1.1\nHost: localhost\r\n\r\n{HIDDEN}",
    "a line feed after a header": f"GET /healthz HTTP/1.1\r\nHost: localhost\nX-A: b\r\n\r\n{HIDDEN}",
    "a line feed after the headers": f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\n{HIDDEN}",
    "a carriage return in a header": f"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\rX-B: c\r\n\r\n{HIDDEN}",
    "a continued header": f"{START}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a space before the colon": f"{START}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a vertical tab before the coding": f"{START}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "gzip before chunked": f"{START}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "chunked twice": f"{START}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "chunked before identity": f"{START}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{HIDDEN}",
    "identity": f"{START}Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{{}}{HIDDEN}",
    "an unknown coding": f"{START}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a coding in HTTP/1.0": f"POST /mcp HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a line feed after a chunk's size": f"{START}Transfer-Encoding: chunked\r\n\r\n2\n{{}}\r\n0\r\n\r\n{HIDDEN}",
    "a line feed after a chunk": f"{START}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\n0\r\n\r\n{HIDDEN}",
    "a chunk that is longer than its size": f"{START}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}}}\r\n0\r\n\r\n{HIDDEN}",
    "a chunk's size with a sign": f"{START}Transfer-Encoding: chunked\r\n\r\n+2\r\n{{}}\r\n0\r\n\r\n{HIDDEN}",
    "a chunk's size with 0x": f"{START}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{{}}\r\n0\r\n\r\n{HIDDEN}",
    "a chunk's size that overflows": f"{START}Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{{}}\r\n0\r\n\r\n{HIDDEN}",
    "a line feed in the trailers": f"{START}Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: b\n\r\n{HIDDEN}",
}


def answers(target, data, pieces):
    """The statuses of all answers until the server closes the connection or is silent for a second, and whether it closed it."""
    received = b""
    with socket.create_connection(target.address, timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces(data):
                connection.sendall(piece)
        except OSError:
            pass
        connection.settimeout(1)
        closed = False
        try:
            while True:
                more = connection.recv(65536)
                if not more:
                    closed = True
                    break
                received += more
        except TimeoutError:
            pass
        except OSError:
            closed = True
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]], closed, received


def whole(data):
    return [data]


def single_bytes(data):
    return [data[at : at + 1] for at in range(len(data))]


def framing(target):
    good = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    statuses, _, _ = answers(target, (good * 3).encode(), whole)
    check(statuses == [200] * 3, "three good requests in one piece get three answers")
    bad = []
    for name, text in CASES.items():
        text = text.replace("localhost", target.authority)
        # The key, so that the request would reach its handler.
        text = text.replace("Content-Type:", f"X-Api-Key: {target.read_key}\r\nContent-Type:")
        for pieces in (whole, single_bytes):
            before = good.replace("localhost", target.authority)
            statuses, closed, received = answers(target, (before + text).encode("latin-1"), pieces)
            if statuses != [200, 400] or not closed or received.count(b'"status":"ok"') != 1:
                bad.append(f"{name} ({pieces.__name__}): {statuses}, closed: {closed}")
    check(not bad, f"{len(CASES)} ambiguous requests are refused with 400, and what is hidden in them isn't answered{''.join(chr(10) + text for text in bad)}")


FLOODS = {
    "PING": PingFrame(0, opaque_data=b"torture!").serialize(),
    "SETTINGS": SettingsFrame(0, settings={4: 65_535}).serialize(),
    "WINDOW_UPDATE": WindowUpdateFrame(0, window_increment=1).serialize(),
    "PRIORITY": PriorityFrame(1, depends_on=0, stream_weight=16).serialize(),
    "RST_STREAM of streams that don't exist": RstStreamFrame(1, error_code=8).serialize(),
    "CONTINUATION without headers": ContinuationFrame(1, data=b"x").serialize(),
    "empty DATA": DataFrame(1).serialize(),
    "unknown frames": b"\0\0\1\x63\0\0\0\0\0x",
}
FRAMES = 200_000 if FULL else 20_000


def floods(target):
    for name, frame in FLOODS.items():
        before = target.processor_seconds()
        sent, closed = 0, False
        with socket.create_connection(target.address, timeout=5) as connection:
            connection.sendall(PREFACE + SettingsFrame(0).serialize())
            connection.setblocking(True)
            connection.settimeout(5)
            try:
                while sent < FRAMES:
                    connection.sendall(frame * 500)
                    sent += 500
                while connection.recv(65536):
                    pass
                closed = True
            except TimeoutError:
                pass
            except OSError:
                closed = True
        seconds = target.processor_seconds() - before
        check(closed, f"a flood of {name} ends with its connection after at most {sent:,} frames ({seconds:.2f} s of processor time)")


with Target() as target:
    framing(target)
    floods(target)
