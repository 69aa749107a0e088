"""The client protocols: reading their requests, writing their answers. The list is in `registry`."""

from shunt.protocols.registry import PROTOCOLS, protocol_named

__all__ = ["PROTOCOLS", "protocol_named"]
