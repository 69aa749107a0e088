"""Bytes on the wire: headers, server-sent events, JSON, edits that leave every other byte alone."""
