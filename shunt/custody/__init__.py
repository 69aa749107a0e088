"""The only reader and writer of credentials while shunt runs.

A refresh token works once. What it is exchanged for must reach the disk, whoever asked for it and
whatever becomes of them. Hence:

- The exchange is a *flight* (`flights`), one per account at a time, owned by the supervisor's nursery.
  Callers only wait for it; their leaving changes nothing.
- It runs under the account's `trio.Lock` and a lock file that other processes respect, and looks at the
  disk once more inside: what another process renewed is adopted instead of spending the token again.
- A mark on disk says that the token is about to be spent; the write that stores the new login takes it
  away. A process that dies in between is thereby noticed at the next start.
- From the mark on it is shielded from shutdown as well, for a bounded time.
- The new login is on disk before anybody is given it. If the disk refuses, it is served from memory
  and saved as soon as that is possible: a failed save is not a failed refresh.

Decided 2026-11: one module became this folder when it reached the size limit. `charge` is one account,
`holdings` all of them with the disk behind, `flights` the renewals, `custody` what other rooms see.
"""

from __future__ import annotations

from shunt.custody.custody import Custody

__all__ = ["Custody"]
