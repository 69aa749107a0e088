"""The locally installed Claude Code as an upstream: the vendor's own program, unmodified, with its own login.

A request in Anthropic's Messages dialect is put to the program over its stream-json protocol, and what
the model streams comes back as the events they are. The client's tools are offered to the program as an
MCP server over the very same pipe (its "sdk" servers): no port is opened, no secret is needed, and the
offer ends with the process. A call that the program makes there is the client's to answer, so it stays
open until the client's next request brings the result.
"""
