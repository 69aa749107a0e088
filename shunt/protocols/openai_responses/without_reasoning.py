"""A Responses request without the reasoning in its history, or without that of other vendors.

For a vendor that refuses it (`invalid_encrypted_content`: it is another account's), and for a conversation
that was with another vendor before and holds envelopes of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from shunt.inference import envelope
from shunt.inference.content import SealForm

Change = Callable[[dict[str, Any]], dict[str, Any] | None]

_SEALED: Final = "encrypted_content"


def without_reasoning(document: Mapping[str, Any], *, envelopes_only: bool = False) -> dict[str, Any] | None:
    """The request without reasoning; None when there is none to leave out.

    `envelopes_only` leaves out other vendors' only. All other items stay.
    """
    return _changed(document, lambda item: item if envelopes_only and not _is_enveloped(item) else None)


def opened(document: Mapping[str, Any], origin: str, account: str) -> dict[str, Any] | None:
    """The request with its envelopes opened for this origin and account; None when it has none.

    Those that are for others are left out.
    """

    def change(item: dict[str, Any]) -> dict[str, Any] | None:
        if not _is_enveloped(item):
            return item
        seal = envelope.unwrap(item[_SEALED])
        if seal is None or seal.form is not SealForm.ENCRYPTED or not envelope.fits(seal, origin, account):
            return None
        return {**item, _SEALED: seal.payload}

    return _changed(document, change)


def _changed(document: Mapping[str, Any], change: Change) -> dict[str, Any] | None:
    items = document.get("input")
    if not isinstance(items, list):
        return None
    after = [change(item) if _is_reasoning(item) else item for item in items]
    if after == items:
        return None
    return {**document, "input": [item for item in after if item is not None]}


def _is_reasoning(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == "reasoning"


def _is_enveloped(item: Mapping[str, Any]) -> bool:
    sealed = item.get(_SEALED)
    return isinstance(sealed, str) and sealed.startswith(envelope.MARK)
