"""shunt: a local proxy that spreads coding agents over their owner's accounts."""

__version__ = "0.1.0"
