"""The vocabulary that all three protocols share, and the rules that hold for all of them.

Words: `request`, `content`, `response`, `events`, `usage`, `failure`, `inbound`.

A request on its way out: `repairs` (what every vendor demands of a conversation), `custom_tools`, `names`,
`effort`, `schemas`, `media`, `telling` (what one protocol says in place of another's parts).

An answer on its way in: `assembly` (legal events out of whatever comes). On its way out: `restoration`
(the client's own names), `sequence` (one part at a time), `partial_json`, `arguments`. Between streams and
whole answers: `replay`, `collect`. Opaque reasoning, both ways: `envelope`.
"""
