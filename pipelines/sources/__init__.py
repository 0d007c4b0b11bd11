"""Fetches captures from Hugging Face and arXiv into the archive.

Each source has a `client` (requests and paging), a `plan` (what is due) and a `fetch` (client and
plan → archive); arXiv also has `lookups`. Does not belong here: the meaning of the bytes
(`pipelines.parsing`), or when to run (`pipelines.defs`).
"""
