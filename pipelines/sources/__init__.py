"""Clients that bring bytes from the outside world: timeouts, retries, rate limits, paging.

Belongs here: asking, waiting, and handing over what came as it came. Does not: what the bytes
mean (`parsing/`), keeping them (`captures.py`), or when to ask (`defs/`).
"""
