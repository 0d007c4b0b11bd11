"""Forms that are recognised and not supported: what each is, and how to get a supported one.

Belongs here: signatures and next steps. Does not belong here: formats that are read (`formats`).
"""

from __future__ import annotations

import re

_START_BYTES = 4096
# Signature at the start of a body, what it is, and the next step.
_BINARY = (
    (b"%PDF-", "a PDF", "ingest the metadata of its paper, such as its BibTeX entry"),
    (b"SQLite format 3\0", "an SQLite database", "export the table of papers as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document", "save it as CSV or plain text"),
    (b"PK\x03\x04", "a zip file", "ingest the file itself, or unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and ingest what it holds"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it and ingest what it holds"),
    (b"ARROW1\0\0", "an Arrow or Feather file", "write it as Parquet or CSV"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "write its table as Parquet or CSV"),
    (b"\x93NUMPY", "a NumPy array", "write it as CSV with a header"),
    (b"Obj\x01", "an Avro file", "write it as Parquet or JSON lines"),
    (b"ORC", "an ORC file", "write it as Parquet"),
    (b"\x89PNG\r\n", "an image", "copy the text of the page, or save the page as HTML"),
    (b"\xff\xd8\xff", "an image", "copy the text of the page, or save the page as HTML"),
    (b"GIF8", "an image", "copy the text of the page, or save the page as HTML"),
    (b"bplist00", "a Safari web archive or property list", "save the page as HTML"),
    (b"\x80\x04\x95", "a Python pickle", "write it as Parquet or CSV"),
    (b"\x80\x05\x95", "a Python pickle", "write it as Parquet or CSV"),
)
_TAR_AT, _TAR = 257, b"ustar"
_TEXTS = (
    (rb"^%[0AT] ", "an EndNote or Refer file", "export it as RIS or BibTeX"),
    (rb"^PMID- ", "a PubMed file", "export it as RIS or CSV"),
    (rb"^FN (?:Clarivate|Thomson|ISI)", "a Web of Science file", "export it as RIS or BibTeX"),
    (rb"^\s*\{\\rtf", "an RTF document", "save it as plain text"),
    (rb"<modsCollection\b", "a MODS file", "export it as RIS or BibTeX"),
    (rb"<(?:xml><)?records><record><database\b", "an EndNote XML file", "export it as RIS"),
    (rb"^(?:%[^\n]*\n\s*)*\\documentclass", "a TeX document", "ingest its .bib file"),
    (rb"^\\bibitem|^\\begin\{thebibliography\}", "a TeX bibliography", "ingest its .bib file"),
    (rb"^(?:references|entries):\s*$|^- id: .*\n\s+(?:type|title):", "a YAML bibliography",
     "export it as RIS or BibTeX"),
)  # fmt: skip
_COMPILED = tuple((re.compile(p, re.MULTILINE), form, step) for p, form, step in _TEXTS)


def described(body: bytes) -> str | None:
    """What the body is and what to do, as a sentence; None if it is not recognised."""
    start = body[:_START_BYTES].removeprefix(b"\xef\xbb\xbf")
    for signature, form, step in _BINARY:
        if start.startswith(signature):
            return _sentence(form, step)
    if start[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        return _sentence("a tar archive", "unpack it and ingest what it holds")
    for pattern, form, step in _COMPILED:
        if pattern.search(start):
            return _sentence(form, step)
    return None


def _sentence(form: str, step: str) -> str:
    return f"The file is {form}, which is not supported: {step}."
