"""Bytes of XML without what the standard forbids, so that one character costs no record.

Control characters other than tab and line ends are not allowed in XML 1.0, not even as references
(https://www.w3.org/TR/xml/#charsets). Sources print them anyway, and parsers stop at the first.

Belongs here: removing them. Does not belong here: reading XML (`xml_records`).
"""

from __future__ import annotations

import re

_CONTROL = rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]|\xed[\xa0-\xbf][\x80-\xbf]"
# `&#11;` and `&#x0B;`, with any number of leading zeros; surrogates as well.
_REFERENCE = (
    rb"&#0*(?:[0-8]|1[124-9]|2[0-9]|3[01]);"
    rb"|&#[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[eEfF]);"
)
_FORBIDDEN = re.compile(rb"(?:%b)|(?:%b)" % (_CONTROL, _REFERENCE))
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([^"'>]{1,40})["']""")
_UTF8 = (b"utf-8", b"utf8", b"us-ascii", b"ascii")


def readable_xml(body: bytes) -> tuple[bytes, int]:
    """The body without forbidden characters, and how many were removed or replaced.

    Bytes that are not UTF-8 become U+FFFD, unless the document declares another encoding.
    """
    clean, n = _FORBIDDEN.subn(b"", body)
    declared = _DECLARED.match(body[:200])
    if declared and declared.group(1).lower() not in _UTF8:
        return clean, n
    try:
        clean.decode("utf-8")
    except UnicodeDecodeError:
        text = clean.decode("utf-8", "replace")
        n += text.count("\ufffd") - clean.count("\ufffd".encode())
        clean = text.encode()
    return clean, n
