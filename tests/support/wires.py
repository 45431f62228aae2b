"""How is a connection cut in the middle of a message, between a client and a server on this machine?"""

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

__all__ = ["Cutting"]


class Cutting:
    """Stands between client and server, and cuts the connection after so many more bytes of either side.

    Attributes
    ----------
    port : int      Where to connect to instead.
    budget : dict   Bytes still let through, ``up`` to the server and ``down`` from it; may be set anytime.
    """

    def __init__(self, server: Callable[[], socket.socket]) -> None:
        self.budget = {"up": 10**9, "down": 10**9}
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more; connections that are open end with their clients."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, self._server() as server:
            back = Thread(target=self._pass_on, args=(server, client, "down"), daemon=True)
            back.start()
            self._pass_on(client, server, "up")
            back.join()

    def _pass_on(self, source: socket.socket, target: socket.socket, way: str) -> None:
        with suppress(OSError):
            while blob := source.recv(4096):
                allowed = min(len(blob), self.budget[way])
                target.sendall(blob[:allowed])
                self.budget[way] -= allowed
                if allowed < len(blob):
                    break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
