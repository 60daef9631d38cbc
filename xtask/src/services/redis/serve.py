"""A Redis with a password, for the tests of nora-provider-redis. The argument is the path of redis-server.

Prints one line, the value of NORA_TEST_REDIS_URL, and serves until its standard input ends: it cannot outlive whoever
started it.
"""

import secrets
import socket
import subprocess
import sys
import tempfile
import time

# Somebody else may take a free port between the look and the server's start.
PORTS_TO_TRY = 5
SECONDS_TO_WAIT = 30


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def start(program, folder, port, password):
    settings = f"""
        bind 127.0.0.1
        port {port}
        requirepass {password}
        dir {folder}
        save ""
        appendonly no
    """
    # Settings come in by the standard input, where no process list shows the password.
    server = subprocess.Popen([program, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    server.stdin.write(settings.encode())
    server.stdin.close()
    return server


def listens(server, port):
    end = time.monotonic() + SECONDS_TO_WAIT
    while server.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


def main():
    password = secrets.token_hex(24)
    with tempfile.TemporaryDirectory(prefix="nora-redis-") as folder:
        for _ in range(PORTS_TO_TRY):
            port = free_port()
            server = start(sys.argv[1], folder, port, password)
            try:
                if listens(server, port):
                    print(f"redis://:{password}@127.0.0.1:{port}/", flush=True)
                    sys.stdin.read()
                    return
            finally:
                server.kill()
                server.wait()
    sys.exit("redis-server does not start")


main()
