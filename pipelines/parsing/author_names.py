"""Printed lists of authors → names, one per person or group, in the order of the list.

Belongs here: where a name ends, TeX in names, and words that are not names (`and`, `et al.`,
affiliations). Does not belong here: which field of a record holds the authors.

The rules, in order: affiliations in parentheses are dropped; semicolons separate if there are any,
else commas and `and`; `Last, First` is turned around; `Jr.` belongs to the name before it.
docs/methodology.md explains them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from pylatexenc.latex2text import LatexNodes2Text

from pipelines.parsing.clean import one_line

_MAX_TEX_CHARS = 300  # of one name; a longer one is not decoded
_MAX_DEPTH = 20  # of braces in a name
_TEX = LatexNodes2Text(math_mode="text", keep_comments=True)
_MATHS = re.compile(r"\$\^?[^$]{0,80}\$")
_FOOTNOTES = re.compile(
    r"\\(?:thanks|footnote|footnotemark|inst|textsuperscript|orcidlink)\s*\{[^{}]*\}"
)
_MARKS = re.compile(
    r"(?:\^\{[^{}]*\}|\^[0-9*]+|[*†‡§¶¹²³⁰⁴-⁹]+|(?<=[a-z])[0-9]{1,2})(?=\s*(?:[,;]|$))"
)
_AND = re.compile(r"(?:,\s*)?(?:\s+and\s+|\s+AND\s+|\s+And\s+|\s*\\?&\s*)")
_LONE_AND = re.compile(r"(?:^and\s+|\s+and$|^and$|^&\s*|\s*&$)", re.IGNORECASE)
_NOT_A_NAME = re.compile(
    r"(?:and\s+)?(?:et\.?\s*al\.?(?:ii)?|others|(?:\+\s*)?[0-9]+\s+(?:more|others?|additional)\b.*"
    r"|ph\.?\s?d\.?|m\.?d\.?|(?:for|on behalf of)\s+the\s.*|\.\.\.|…)",
    re.IGNORECASE,
)
_ET_AL = re.compile(r"\s+et\.?\s*al\.?\s*$", re.IGNORECASE)
_ON_BEHALF = re.compile(r"\s+(?:for|on behalf of)\s+the\s+.*(?:collaborations?|team|group)$", re.I)
_SUFFIX = re.compile(r"(?:jr|sr)\.?|I{2,3}|IV|2nd|3rd|4th", re.IGNORECASE)
_COMPANY = re.compile(r"(?:sons|co\.?|company|partners|associates|brothers|daughters)", re.I)
_GROUP_COLON = re.compile(
    r"^([^,;:]*\b(?:collaborations?|consortium|team|group)):\s+", re.IGNORECASE
)
_INITIALS = re.compile(r"[A-Z]\.?(?:[\s-]*[A-Z]\.?)*")
_APPENDIX = re.compile(r"^with (?:an? )?(?:appendix|appendices|contributions?) (?:by|from) ", re.I)
_BLANK_OR_NOT = re.compile(r"\s*,\s*")
# arXiv writes `J.-P. Li` and `A.Li` as `J. -P. Li` and `A. Li`; with one form, a name stays one.
_AFTER_INITIAL = re.compile(r"(?<=\b[A-Z])\.(?=[A-Z-])")
_QUOTES = "\"'“”‘’`"


def split_names(printed: str) -> list[str]:
    """The names in a printed list; empty if the list can't be divided with certainty.

    Names are on one line with TeX as Unicode. Words that are not names are left out.
    """
    text = _prepared(printed)
    lead: list[str] = []
    if group := _GROUP_COLON.match(text):
        lead, text = [group.group(1)], text[group.end() :]
    if ";" in text:
        names = [name for part in text.split(";") for name in _names_of_part(part)]
    elif (pairs := _inverted(_AND.split(text))) is not None:
        names = pairs
    else:
        names = _by_commas(text)
    return tidy([*lead, *names])


def tidy(names: Iterable[str]) -> list[str]:
    """Names one by one: TeX as Unicode, without quotes, marks and words that are not names."""
    found = []
    for name in names:
        plain = without_tex(_prepared(name))
        shown = _ON_BEHALF.sub("", _ET_AL.sub("", _LONE_AND.sub("", plain)))
        shown = _APPENDIX.sub("", _MARKS.sub("", shown)).strip(" ,;:*†‡§¶")
        if shown[:1] in _QUOTES and shown[-1:] in _QUOTES:
            shown = shown.strip(_QUOTES).strip()
        if any(map(str.isalpha, shown)) and not _NOT_A_NAME.fullmatch(shown):
            found.append(_AFTER_INITIAL.sub(r"\g<0> ", shown))
    return found


def turned(name: str) -> str:
    """`First Last Jr` for `Last, First, Jr` or `Last, Jr, First`; other names unchanged."""
    parts = [part for part in _BLANK_OR_NOT.split(_prepared(name)) if part]
    suffixes = [part for part in parts[1:] if _SUFFIX.fullmatch(part)]
    rest = [part for part in parts if part not in suffixes]
    if len(rest) == 2:
        return " ".join([rest[1], rest[0], *suffixes])
    return " ".join([*rest, *suffixes]) if len(rest) == 1 else name


def without_tex(text: str) -> str:
    """The text on one line, with TeX as Unicode."""
    has_tex = ("\\" in text or "{" in text) and len(text) <= _MAX_TEX_CHARS
    if has_tex and text.count("{") + text.count("\\begin") <= _MAX_DEPTH:
        text = _TEX.latex_to_text(text)
    return one_line(text.replace("~", " "))


def _prepared(printed: str) -> str:
    """One line without maths, footnotes, thin spaces of TeX, and text in parentheses."""
    text = html.unescape(printed) if "&" in printed else printed
    if "\\" in text or "$" in text:
        text = _FOOTNOTES.sub("", _MATHS.sub("", text))
        text = re.sub(r"\\[,;:! ]|\\\\", " ", text)
    text = one_line(_without_parentheses(text))
    return re.sub(r"\s+,", ",", text)


def _without_parentheses(text: str) -> str:
    """The text without parts in parentheses, however deep.

    A parenthesis that is never closed ends at the next comma or semicolon outside inner ones.
    """
    if "(" not in text and ")" not in text:
        return text
    closes_at = _closing(text)
    out, at = [], 0
    while at < len(text):
        character = text[at]
        if character == "(":
            end = closes_at.get(at)
            if end is None:
                found = re.compile(r"[,;]").search(text, at)
                end = found.start() - 1 if found else len(text)
            at = end + 1
            continue
        if character != ")":
            out.append(character)
        at += 1
    return "".join(out)


def _closing(text: str) -> dict[int, int]:
    """Position of each parenthesis that is closed → position of the one that closes it."""
    opened: list[int] = []
    pairs: dict[int, int] = {}
    for at, character in enumerate(text):
        if character == "(":
            opened.append(at)
        elif character == ")" and opened:
            pairs[opened.pop()] = at
    return pairs


def _names_of_part(part: str) -> list[str]:
    """Names between two semicolons: one, `Last, First`, or a list of its own."""
    part = _LONE_AND.sub("", part.strip().strip(","))
    if (pairs := _inverted(_AND.split(part))) is not None:
        return pairs
    rest = [p for p in _BLANK_OR_NOT.split(part) if p and not _SUFFIX.fullmatch(p)]
    return [turned(part)] if len(rest) <= 2 and not _AND.search(part) else _by_commas(part)


def _inverted(parts: list[str]) -> list[str] | None:
    """Names of `Last, First and Last, First`; None if the parts are not all of this form.

    A family name has one word in capitals, perhaps after particles (`van der`). One part alone is
    of this form only if its family name is followed by initials.
    """
    parts = [part.strip().strip(",") for part in parts if part.strip(" ,")]
    rests = [[p for p in _BLANK_OR_NOT.split(x) if not _SUFFIX.fullmatch(p)] for x in parts]
    if not parts or any(len(rest) != 2 for rest in rests):
        return None
    if any(sum(word[:1].isupper() for word in rest[0].split()) > 1 for rest in rests):
        return None
    if len(parts) == 1 and not _INITIALS.fullmatch(rests[0][1]):
        return None
    return [turned(part) for part in parts]


def _by_commas(text: str) -> list[str]:
    """Names separated by commas and `and`.

    Single words in pairs may be `Last, First, Last, First`, which nothing shows: no names.
    """
    segments: list[str] = []
    pieces = [piece for piece in _BLANK_OR_NOT.split(text) if piece]
    if len(pieces) % 2 == 0 and all(" " not in without_tex(piece) for piece in pieces):
        return [] if not all(map(_INITIALS.fullmatch, pieces[1::2])) else _paired(pieces)
    for number, piece in enumerate(pieces, start=1):
        for name in _by_and(piece, is_last=number == len(pieces)):
            if segments and _SUFFIX.fullmatch(name.strip()):
                segments[-1] = f"{segments[-1]} {name.strip()}"
            else:
                segments.append(name)
    return _paired([segment for segment in segments if tidy([segment])])


def _by_and(piece: str, *, is_last: bool) -> list[str]:
    """The piece divided at `and`, unless that joins a firm's name (`Smith and Sons`)."""
    names = [name for name in _AND.split(_LONE_AND.sub("", piece)) if name.strip()]
    are_single = all(" " not in name.strip() for name in names)
    if len(names) == 2 and (_COMPANY.fullmatch(names[1].strip()) or (are_single and not is_last)):
        return [piece]
    return names


def _paired(segments: list[str]) -> list[str]:
    """Segments as names; those of `Smith, J., Doe, A.` in pairs."""
    is_even = len(segments) % 2 == 0
    if is_even and all(map(_INITIALS.fullmatch, segments[1::2])):
        return [
            f"{first} {last}" for last, first in zip(segments[::2], segments[1::2], strict=True)
        ]
    names: list[str] = []
    for segment in segments:
        if names and _INITIALS.fullmatch(segment) and " " not in names[-1]:
            names[-1] = f"{segment} {names[-1]}"
        else:
            names.append(segment)
    return names
