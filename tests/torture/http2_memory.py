"""One read key asks for large answers over HTTP/2 and makes no room for them, while it sends PING frames, and sends bodies that never
end. The server's memory stays bounded, and it ends these streams although their connections are busy."""

import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "shared"))
from target import FULL, Target, call, check, until

import h2.config
import h2.connection
import h2.events
import h2.settings

CONNECTIONS, STREAMS = (32, 100) if FULL else (16, 100)
# The bodies without a declared length that are sent at the same time.
BODIES = 16
# The write stall after which a stream ends, and what a busy machine may need besides.
STALL_SECONDS = 30 + 10
# The 32 MiB that one key may hold, and what the allocator needs besides.
GROWTH_MIB_MAX = 72


class Client:
    def __init__(self, target, window):
        self.target = target
        self.socket = socket.create_connection(target.address, timeout=20)
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.connection.local_settings = h2.settings.Settings(client=True, initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.connection.initiate_connection()
        self.statuses, self.resets = {}, set()
        self.closed = False
        self.send()

    def send(self):
        try:
            self.socket.sendall(self.connection.data_to_send())
        except OSError:
            self.closed = True

    def head(self, headers):
        fields = [(":method", "POST"), (":scheme", "http"), (":authority", self.target.authority), (":path", "/mcp")]
        fields += [(name.lower(), value) for name, value in headers.items()]
        stream = self.connection.get_next_available_stream_id()
        self.connection.send_headers(stream, fields)
        return stream

    def ask(self, headers, body):
        stream = self.head(headers)
        self.connection.send_data(stream, body, end_stream=True)
        self.send()

    def read(self, seconds=0.0):
        """Reads what has arrived within the time."""
        end = time.monotonic() + seconds
        while not self.closed:
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except (TimeoutError, BlockingIOError):
                break
            except OSError:
                data = b""
            if not data:
                self.closed = True
                break
            for event in self.connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    self.statuses[event.stream_id] = dict(event.headers)[":status"]
                elif isinstance(event, h2.events.StreamReset):
                    self.resets.add(event.stream_id)
            self.send()
            if time.monotonic() > end:
                break

    def ping(self):
        if not self.closed:
            self.connection.ping(b"torture!")
            self.send()

    def stuck(self):
        """The streams whose answer began and didn't end."""
        return 0 if self.closed else len([stream for stream, status in self.statuses.items() if status == "200" and stream not in self.resets])


def unread_answers(target, window):
    headers, body = call("list_findings", {"limit": 100}, target.read_key)
    before = target.mib()
    target.reset_peak()
    clients = [Client(target, window) for _ in range(CONNECTIONS)]
    for client in clients:
        for _ in range(STREAMS):
            client.ask(headers, body)
    statuses = {}
    for client in clients:
        until(lambda client=client: client.read(0.05) or client.closed or len(client.statuses) == STREAMS, 60)
        for status in client.statuses.values():
            statuses[status] = statuses.get(status, 0) + 1
    peak = target.mib("VmHWM")
    stuck = sum(client.stuck() for client in clients)
    print(f"  window {window}: {stuck} answers wait, statuses {statuses}, memory {before:.0f} -> {peak:.0f} MiB", flush=True)
    start = time.monotonic()

    def freed():
        for client in clients:
            client.ping()
            client.read()
        time.sleep(0.5)
        return sum(client.stuck() for client in clients) == 0

    ended = until(freed, STALL_SECONDS)
    seconds = time.monotonic() - start
    check(ended, f"window {window}: all streams without room ended after {seconds:.0f} s, although their connections were busy")
    check(peak - before <= GROWTH_MIB_MAX, f"window {window}: memory grew by at most {GROWTH_MIB_MAX} MiB ({peak - before:.0f})")
    for client in clients:
        client.socket.close()


def endless_bodies(target):
    """Bodies without a declared length, over HTTP/1: some that stop just below the limit, and one without an end."""
    headers, _ = call("list_findings", {}, target.read_key)
    lines = ["POST /mcp HTTP/1.1", f"Host: {target.authority}", "Transfer-Encoding: chunked", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    before = target.mib()
    target.reset_peak()
    held = []
    for _ in range(BODIES):
        connection = socket.create_connection(target.address, timeout=20)
        held.append(connection)
        connection.sendall(head + chunk * 255)
    until(lambda: False, 1)
    each = (target.mib("VmHWM") - before) / BODIES
    check(each <= 2, f"a body without a declared length takes at most 2 MiB of memory ({each:.1f}, of {BODIES} at the same time)")
    for connection in held:
        connection.close()
    sent, answer = 0, b""
    with socket.create_connection(target.address, timeout=20) as connection:
        connection.sendall(head)
        try:
            while sent < 64 << 20:
                connection.sendall(chunk)
                sent += 4096
        except OSError:
            pass
        try:
            answer = connection.recv(200)
        except OSError:
            pass
    check(answer.startswith(b"HTTP/1.1 413") or sent < 16 << 20, f"a body without an end is refused after {sent >> 10} KiB: {answer[:12]!r}")


with Target() as target:
    # The first requests fill caches.
    headers, body = call("list_findings", {"limit": 100}, target.read_key)
    warm = Client(target, 1 << 20)
    for _ in range(50):
        warm.ask(headers, body)
        warm.read(0.05)
    warm.socket.close()
    endless_bodies(target)
    for window in (0, 1) if FULL else (1,):
        unread_answers(target, window)
