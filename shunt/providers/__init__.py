"""Vendors and servers: how to talk to them, what their answers mean. The list is in `registry`."""

from shunt.providers.registry import PROVIDERS, provider_named

__all__ = ["PROVIDERS", "provider_named"]
