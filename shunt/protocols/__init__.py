"""The client protocols: reading their requests, writing their answers. The list is in `registry`."""

from shunt.protocols.registry import PROTOCOLS, codec_named, protocol_named, speaker_of

__all__ = ["PROTOCOLS", "codec_named", "protocol_named", "speaker_of"]
