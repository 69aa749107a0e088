"""Between reading a connection and handling what came."""

from __future__ import annotations

import trio
from attrs import define


@define(eq=False)
class Inlet:
    """Bytes that were read and wait to be handled."""

    _bytes: bytearray
    _stir: trio.lowlevel.ParkingLot

    @classmethod
    def empty(cls) -> Inlet:
        """A new one."""
        return cls(bytearray(), trio.lowlevel.ParkingLot())

    def put(self, data: bytes) -> None:
        """Add bytes."""
        self._bytes += data
        self._stir.unpark_all()

    async def take(self) -> bytes:
        """Wait for bytes and take all there are."""
        while not self._bytes:
            await self._stir.park()
        taken = bytes(self._bytes)
        self._bytes.clear()
        self._stir.unpark_all()
        return taken

    def holds(self, count: int) -> bool:
        """Whether more than `count` bytes wait."""
        return len(self._bytes) > count

    async def below(self, count: int) -> None:
        """Wait until no more than `count` bytes are left."""
        while self.holds(count):
            await self._stir.park()
