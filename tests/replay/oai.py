"""arXiv's OAI-PMH: strict about arguments, with resumption tokens that encode an offset."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from urllib.parse import parse_qs, quote, unquote, urlencode
from xml.sax.saxutils import escape

from tests.replay import oai_xml
from tests.replay.papers import ArxivPapers
from tests.replay.reply import Reply

PREFIXES = ("arXivRaw", "arXiv")
EARLIEST = "2005-09-16"
ARGUMENTS = {"verb", "metadataPrefix", "from", "until", "set", "resumptionToken"}


class ProtocolError(Exception):
    """An error of the protocol: its code and message."""


class Oai:
    """Responses of one repository, with `page_records` records per page."""

    def __init__(self, papers: ArxivPapers, url: str, page_records: int = 1_000) -> None:
        self._papers = papers
        self._url = url
        self._page_records = page_records

    def answer(self, query: Mapping[str, str], now: datetime) -> Reply:
        try:
            body = self._answer(query, now)
        except ProtocolError as error:
            code, message = error.args
            body = oai_xml.error_page(code, message, base_url=self._url, at=now)
        return Reply(body, "application/xml")

    def _answer(self, query: Mapping[str, str], now: datetime) -> bytes:
        match query.get("verb"):
            case "Identify":
                return self._frame(_IDENTIFY, query, now)
            case "ListSets":
                return self._frame(self._sets(), query, now)
            case "ListRecords":
                return self._records(query, now)
        raise ProtocolError("badVerb", "Value of the verb argument is not a legal OAI-PMH verb.")

    def _frame(self, inside: str, query: Mapping[str, str], now: datetime) -> bytes:
        return oai_xml.document(inside, query, self._url, now)

    def _sets(self) -> str:
        each = "".join(
            f"<set>\n<setSpec>{escape(spec)}</setSpec>\n<setName>{escape(spec)}</setName>\n</set>\n"
            for spec in self._papers.set_specs()
        )
        return f"<ListSets>\n{each}</ListSets>"

    def _records(self, query: Mapping[str, str], now: datetime) -> bytes:
        window, skip = _window(query)
        ids = self._papers.changed(
            _day(window.get("from", EARLIEST)),
            _day(window.get("until", now.date().isoformat())),
            window.get("set"),
        )
        shown = ids[skip : skip + self._page_records]
        if not shown:
            raise ProtocolError("noRecordsMatch", "The combination of values is an empty list.")
        following = skip + self._page_records
        has_more = following < len(ids)
        token = _token(window, following) if has_more else ("" if skip else None)
        return oai_xml.page(
            [row for i in shown if (row := self._papers.get(i))],
            window["metadataPrefix"],
            token=token,
            token_attributes=_attributes(len(ids), skip, now) if token is not None else None,
            request={name: value for name, value in query.items() if name != "verb"},
            base_url=self._url,
            at=now,
        )


def _window(query: Mapping[str, str]) -> tuple[dict[str, str], int]:
    """The arguments, from the token if there is one, and the number of records to skip."""
    if unknown := set(query) - ARGUMENTS:
        raise ProtocolError("badArgument", f"Unknown arguments: {', '.join(sorted(unknown))}")
    window, skip = dict(query), 0
    if "resumptionToken" in query:
        if set(query) != {"verb", "resumptionToken"}:
            raise ProtocolError("badArgument", "resumptionToken is an exclusive argument.")
        window, skip = _of_token(query["resumptionToken"])
    if "metadataPrefix" not in window:
        raise ProtocolError("badArgument", "metadataPrefix is missing.")
    if window["metadataPrefix"] not in PREFIXES:
        raise ProtocolError("cannotDisseminateFormat", "There is no such format.")
    return window, skip


def _token(window: Mapping[str, str], skip: int) -> str:
    # Quoted twice, as arXiv's are, so that a client that unquotes once too often breaks them.
    named = {name: value for name, value in window.items() if name != "verb"}
    return quote(urlencode({**named, "skip": skip}))


def _of_token(token: str) -> tuple[dict[str, str], int]:
    fields = {name: values[0] for name, values in parse_qs(unquote(token)).items()}
    skip = fields.pop("skip", "")
    if not skip.isdecimal() or token != _token(fields, int(skip)):
        raise ProtocolError("badResumptionToken", "The token is invalid or expired.")
    return fields, int(skip)


def _attributes(n: int, cursor: int, now: datetime) -> dict[str, str]:
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time())
    return {
        "expirationDate": f"{midnight:%Y-%m-%dT%H:%M:%SZ}",
        "completeListSize": str(n),
        "cursor": str(cursor),
    }


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ProtocolError("badArgument", f"{text} is not a date.") from None


_IDENTIFY = f"""<Identify>
<repositoryName>arXiv</repositoryName>
<protocolVersion>2.0</protocolVersion>
<earliestDatestamp>{EARLIEST}</earliestDatestamp>
<deletedRecord>persistent</deletedRecord>
<granularity>YYYY-MM-DD</granularity>
</Identify>"""
