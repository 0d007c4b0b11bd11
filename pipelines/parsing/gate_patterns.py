"""Patterns of texts that are not a title, a name or an abstract. Each key completes "… is".

Belongs here: regular expressions in the syntax of Polars (no look-around). Does not belong here:
their use (`gate`).
"""

from __future__ import annotations

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?"
_CLOCK = (
    r"(?:[ t,]+(?:at )?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:am|pm|z|gmt|utc|[+-]\d{2}:?\d{2})?)?"
)
_DAY = (
    rf"(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}"
    rf"|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?"
    rf"|\d{{1,2}}\.?\s+{_MONTH}(?:,?\s+\d{{4}})?|{_MONTH}\s+\d{{4}})"
)
_BEFORE = r"(?:(?:published|submitted|updated|date)(?: on)?:?\s+)?"
DATE = rf"(?i)^{_BEFORE}{_WEEKDAY}{_DAY}{_CLOCK}(?:\s+\d{{1,3}})?$"
ADDRESS = (
    r"(?i)https?:/|^www\.|^(?:doi:\s*|10\.\d{4,}/)|^(?:arxiv:\s*)?\d{4}\.\d{4,5}(?:v\d+)?$"
    r"|^\S+@\S+\.[a-z]{2,}$|^(?:file|ftp|mailto|cid):|^/(?:papers|abs)/"
    r"|^(?:arxiv|huggingface)\.(?:org|co)"
)
_TAGS = (
    "a|abbr|article|b|blockquote|body|br|button|code|dd|div|dl|dt|em|entry|feed|footer|form|h[1-6]"
    "|head|header|hr|html|i|iframe|img|input|label|li|link|main|meta|nav|ol|p|path|pre|record|script"
    "|section|span|strong|style|sub|summary|sup|svg|table|tbody|td|th|title|tr|ul"
)
MARKUP = (
    rf"(?i)^<[!?]|^</?(?:{_TAGS})(?:\s[^>]*)?/?>|<(?:{_TAGS})\s+[a-z-]+=|^<[^>]*>$"
    r"|^<\w+>.*</\w+>$"
    r"|^#{1,6}\s|^\*\*|\]\((?:https?:|/|#)|^!\[|^\|.*\||^[-*•·>]\s|^```|^\\(?:begin|section|item)"
)
# The printed form of a list or an object, after LaTeX braces were removed.
REPR = (
    r"""^[\[({]\s*[\[({]*\s*['"][^'"]*['"]\s*(?:[,:\])}]|$)"""
    r"""|^[\[{]\s*[\[{]|^\{\s*['"]|^\[\s*\]$|^\{\s*\}$|^['"]\w+['"]\s*:\s*['"\[{\d]"""
    r"|^(?:None|null|undefined|NaN|nan|True|False|true|false)$|\[object Object\]"
)
_HEADERS = (
    "mime-version|content-(?:type|length|location|transfer-encoding|disposition|id)|message-id"
    "|return-path|snapshot-content-location|reply-to|subject|x-mailer|dkim-signature"
)
HEADER = (
    rf"(?i)^(?:{_HEADERS})\s*:|^(?:charset|boundary)=|^received: from|^%pdf-|^pk\x03"
    r"|^begin:|^end:[a-z]+$|^--+[=\w-]*$|^from:.*@"
    r"|^@[a-z]+\s*\{|^(?:ty|au|ti|er|py|ab|ur)  - "
    r"|^(?:title|author|abstract|year|url|journal)\s*=\s*"
    r"|^#!|^(?:title|id|arxiv_id|authors?)\s*[,;\t|]\s*(?:title|id|authors?|abstract|date|url|year)\b"
    r"|^(?:arxiv id|title|authors?|abstract|published|categories|comments|journal-ref)\s*:"
)
# Words of the pages around papers, and lines of a card that are not its title.
_SITE = (
    "hugging face|daily papers|trending papers|papers|models|datasets|spaces|docs|pricing"
    "|enterprise"
    "|log in|sign up|subscribe|submitted by|get trending papers.*|view all.*|new|abstract|authors?"
    "|title|untitled|no title|n/?a|upvotes?|comments?|github(?: [0-9.,k]+)?|view pdf|pdf|html|login"
    "|read more"
    "|by ?ak and the research community|previous|next|daily|weekly|monthly|search"
    "|arxiv(?: page)?|recent submissions"
)
SITE_WORDS = rf"(?i)^(?:{_SITE}|[•·*-]?\s*\d+\s+(?:authors?|upvotes?|comments?)|[•·\s]+)$"
# Names of organisations that pages of 2026 show where they used to show the number of authors.
_ORGANISATIONS = (
    "adobe|adobe research|alibaba|alibaba group|allen institute for ai|amazon|anthropic|apple|baidu"
    "|bytedance|bytedance seed|cohere|databricks|deepmind|deepseek|deepseek-ai|facebook|google"
    "|google deepmind|google research|huawei|hugging face|ibm|ibm research|intel|kuaishou"
    "|meituan|meta|meta ai|microsoft|microsoft research|mistral ai|moonshot ai|nvidia|openai"
    "|openmmlab"
    "|opengvlab|peking university|qwen|salesforce|samsung|shanghai ai laboratory|sony"
    "|stability ai|stanford university|tencent|tencent hunyuan|tsinghua university|xiaomi|zhipu ai"
)
ORGANISATION = rf"(?i)^(?:{_ORGANISATIONS})$"
# UTF-8 that was read in a Western encoding, or bytes that are not UTF-8.
_TAIL = "[\u0080-\u00bf€‚ƒ„†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
# Cleaning makes a blank of a control character, such as the second half of `Ü` in Latin-1.
GARBLED = rf"\x{{FFFD}}|[ÂÃÄÅÎÏÐÑ]{_TAIL}|â{_TAIL}{_TAIL}|â€|[ÂÃâ](?:\s|$)"
# Two fields of a record: a text that has lines of another file.
_FIELD = r"""(?:["']|&quot;)(?:title|id|authors|summary|abstract|categories)(?:["']|&quot;)\s*:"""
_RECORD = rf"(?s){_FIELD}.*{_FIELD}"
# A field of a record, or a character as JSON writes it.
_PART_OF_RECORD = rf"{_FIELD}|\\u[0-9a-fA-F]{{4}}"
ENCLOSING_QUOTES = r"""^\s*['"]([^'"]+)['"]\s*$"""

TITLE_PATTERNS = {
    "an address": ADDRESS,
    "a date": DATE,
    "markup": MARKUP,
    "a printed list or object": REPR,
    "the header of a file": HEADER,
    "a heading or a label of the page": SITE_WORDS,
    "the name of an organisation": ORGANISATION,
    "part of a record": _PART_OF_RECORD,
    "a number": r"^[\d\s.,:;/%$€+*#()-]+$",
}
NAME_PATTERNS = {
    # `\d{o}` is an accent of LaTeX.
    "in brackets, or contains one": r"^[^\\]*[\[\]{}<>]",
    "a number": r"^[\d\s.,:/-]*\d[\d\s.,:/-]*$",
    "an address": ADDRESS,
    "a date": DATE,
    "in quotes": r"""^["'][^"']*["']?$""",
    "part of a printed object": r"""["']\s*:|:\s*["']""",
    "the header of a file": HEADER,
    "a heading or a label of the page": SITE_WORDS,
    "a label, not a name": (
        r"(?i)^(?:authors?|none|null|nan|unknown|et al\.?|and|\d+ authors?|n/?a)$"
    ),
}
ABSTRACT_PATTERNS = {
    "text with a record in it": _RECORD,
    "preceded by an address or an id": r"(?i)^(?:https?://|www\.|oai:|arxiv:\s*\d)",
    "preceded by a label": r"^[^.]{0,60}\bAbstract:",
    "a date": DATE,
    "markup": rf"(?i)^<[!?]|^</?(?:{_TAGS})(?:\s[^>]*)?/?>",
    "a heading or a label of the page": SITE_WORDS,
    "the header of a file": rf"(?i)^(?:{_HEADERS}|mime-version)\s*:|^%pdf-|^@[a-z]+\s*\{{",
}
