"""What a run is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from attrs import field, frozen


@frozen
class RunOptions:
    """What `shunt run` was asked for."""

    environ: Mapping[str, str] = field(repr=False)
    home: str | None = None
    config: str | None = None
    host: str | None = None
    port: int | None = None
    log_level: str | None = None
    demo: bool = False
    arguments: tuple[str, ...] = ()
    """The words after the program's name, for whoever takes over."""
    leash: int | None = None
    """File descriptor that ends the run when its other end is closed, however that came about."""
    write: Callable[[str], None] = partial(print, flush=True)
    """Takes lines for the terminal."""
