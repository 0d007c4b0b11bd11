"""arXiv's metadata: complete days by OAI-PMH, single papers by the Atom API.

Belongs here: request parameters, resumption tokens, errors of the protocol. Does not: HTTP
(`pipelines.sources.http`), or the meaning of a record (`pipelines.parsing`). Both services share
one client, because arXiv allows one request every three seconds over all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape
from io import BytesIO
from itertools import islice
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from pipelines.parsing.xml_text import readable_xml
from pipelines.runtime.text import one_line, shortened
from pipelines.settings import Settings
from pipelines.sources.errors import (
    BadResumptionToken,
    DamagedResponse,
    TerminalSourceError,
    UnansweredLookUp,
)
from pipelines.sources.http.client import HttpClient, Response
from pipelines.sources.http.clock import Clock
from pipelines.sources.http.closing import Closing
from pipelines.sources.http.page import FetchedPage

XML_TYPES = frozenset({"application/xml", "text/xml", "application/atom+xml"})
IDS_PER_REQUEST = 100
TITLE_MATCHES = 5
MAX_DETAIL_CHARS = 200
_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_ATOM = "{http://www.w3.org/2005/Atom}"
_TOTAL = "{http://a9.com/-/spec/opensearch/1.1/}totalResults"
MAX_EMPTY_ANSWERS = 3  # arXiv returns pages without entries in passing; clients ask again
_WHOLE_PAGE = re.compile(rb"</(?:[A-Za-z]+:)?OAI-PMH>\s*$")
_TOKEN = re.compile(rb"<(?:[A-Za-z]+:)?resumptionToken[^>]*>([^<]*)<")


@dataclass(frozen=True)
class OaiPage:
    """One page of a harvest, complete and unchanged.

    `resumption_token` requests the next page, and is None on the last one. It is valid until
    midnight UTC. `n_records` is 0 when nothing matches. `complete_list_size` is the server's count
    of the whole list, if it gives one.
    """

    url: str
    body: bytes
    fetched_at: datetime
    n_records: int
    resumption_token: str | None = None
    complete_list_size: int | None = None


class Arxiv(Closing):
    """The two services at `PAPERTIDE_ARXIV_OAI_URL` and `PAPERTIDE_ARXIV_API_URL`."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._oai_url = settings.arxiv_oai_url
        self._api_url = settings.arxiv_api_url
        self._http = HttpClient(settings, clock, interval_s=settings.arxiv_interval_s)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def harvest(
        self,
        set_spec: str | None,
        from_on: date,
        until_on: date,
        prefix: str = "arXivRaw",
        resume: str | None = None,
    ) -> Iterator[OaiPage]:
        """Pages of the records of a set (`cs`, `cs:cs:LG`, None for all) that changed in a window.

        Both days are included. With `resume`, the token of an earlier page, the harvest continues
        after that page. When nothing matches, there is one page without records. Raises
        BadResumptionToken when the window must be harvested from its start, and otherwise the
        errors of `HttpClient.get`.
        """
        window = {"metadataPrefix": prefix, "from": str(from_on), "until": str(until_on)}
        if set_spec:
            window["set"] = set_spec
        token, used = resume, {resume}
        while True:
            page = self._oai_page({"resumptionToken": token} if token else window)
            yield page
            token = page.resumption_token
            if token is None:
                return
            if token in used:
                raise BadResumptionToken(
                    f"{page.url} returned the same resumption token twice, so the list would never "
                    "end. Harvest this window from the start."
                )
            used.add(token)

    def _oai_page(self, parameters: dict[str, str]) -> OaiPage:
        response = self._http.get(
            self._oai_url, {"verb": "ListRecords", **parameters}, accept="application/xml"
        )
        n_records, token, size, error = 0, None, None, None
        try:
            for element in _elements(response, f"{_OAI}OAI-PMH"):
                if element.tag == f"{_OAI}record":
                    n_records += 1
                    element.clear()
                elif element.tag == f"{_OAI}resumptionToken":
                    token = (element.text or "").strip() or None
                    size = _count(element.get("completeListSize"))
                elif element.tag == f"{_OAI}error" and error is None:
                    error = element
        except DamagedResponse:
            # A whole page with damage inside: its bytes are kept, and the harvest goes on.
            if not n_records or not _WHOLE_PAGE.search(response.body):
                raise
            token = _token_in(response.body)
        if error is not None and error.get("code") != "noRecordsMatch":
            raise _oai_error(response, error, with_token="resumptionToken" in parameters)
        if error is None and not n_records and token is None:
            raise TerminalSourceError(
                f"{response.url} returned OAI-PMH with neither records nor an error. "
                "If this persists, the API may have changed."
            )
        return OaiPage(response.url, response.body, response.fetched_at, n_records, token, size)

    def by_ids(self, ids: Iterable[str]) -> Iterator[FetchedPage]:
        """Atom feeds of papers by arXiv id, `IDS_PER_REQUEST` per feed, without unknown ids.

        Ids must be well-formed: arXiv refuses a whole request because of one that is not. Raises
        the errors of `HttpClient.get`, and UnansweredLookUp.
        """
        rest = iter(dict.fromkeys(ids))
        batch, number = list(islice(rest, IDS_PER_REQUEST)), 0
        while batch:
            following = list(islice(rest, IDS_PER_REQUEST))
            yield self._look_up(_ids(batch), number, is_last=not following)
            batch, number = following, number + 1

    def by_title(self, title: str) -> FetchedPage:
        """An Atom feed of at most `TITLE_MATCHES` papers whose title has these words in this order.

        Raises the errors of `HttpClient.get`, and UnansweredLookUp.
        """
        words = one_line(title.replace('"', " ").replace("\\", " "))
        query = {"search_query": f'ti:"{words}"', "max_results": str(TITLE_MATCHES)}
        return self._look_up(query, 0, is_last=True)

    def _look_up(self, query: dict[str, str], number: int, *, is_last: bool) -> FetchedPage:
        for _ in range(MAX_EMPTY_ANSWERS):
            response = self._http.get(self._api_url, query, accept="application/atom+xml")
            entries, total = 0, 0
            for element in _elements(response, f"{_ATOM}feed"):
                entries += element.tag == f"{_ATOM}entry"
                if element.tag == _TOTAL:
                    total = _count((element.text or "").strip()) or 0
            if entries or not total:
                break
        else:
            raise UnansweredLookUp(
                f"{response.url} counts {total} result(s) and returned none, {MAX_EMPTY_ANSWERS} "
                "times. The next run asks again."
            )
        return FetchedPage(
            url=response.url,
            body=response.body,
            fetched_at=response.fetched_at,
            page=number,
            n_items=entries,
            is_last=is_last,
            content_type=response.content_type,
        )


def _ids(batch: Sequence[str]) -> dict[str, str]:
    # Without max_results, arXiv returns ten.
    return {"id_list": ",".join(batch), "max_results": str(len(batch))}


def _elements(response: Response, root_tag: str) -> Iterator[Element]:
    """Elements of the response as they end. Raises TerminalSourceError for any other document."""
    if response.content_type not in XML_TYPES:
        raise _not_xml(response, f"has the type {response.content_type or 'unknown'}")
    root: Element | None = None
    try:
        for event, element in iterparse(
            BytesIO(readable_xml(response.body)[0]), events=("start", "end"), forbid_dtd=True
        ):
            if root is None:
                root = element
                if root.tag != root_tag:
                    raise _not_xml(response, f"begins with <{root.tag.rpartition('}')[2]}>")
            if event == "end":
                yield element
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise DamagedResponse(_unusable(response, f"can't be read as XML ({error})")) from None


def _token_in(body: bytes) -> str | None:
    """The resumption token in the bytes of a page, None if it shows none."""
    found = _TOKEN.search(body)
    return unescape(found.group(1).decode("utf-8", "replace")).strip() or None if found else None


def _not_xml(response: Response, problem: str) -> TerminalSourceError:
    return TerminalSourceError(_unusable(response, problem))


def _unusable(response: Response, problem: str) -> str:
    return (
        f"The response from {response.url} {problem}, so it can't be used. It may be a maintenance "
        "notice: try again later, and check the source settings."
    )


def _oai_error(response: Response, error: Element, *, with_token: bool) -> TerminalSourceError:
    code = error.get("code", "no code")
    detail = shortened(one_line("".join(error.itertext())), MAX_DETAIL_CHARS)
    # arXiv's tokens encode the arguments, so a damaged token may be reported as a bad argument.
    if code == "badResumptionToken" or (with_token and code == "badArgument"):
        return BadResumptionToken(
            f"{response.url}: the resumption token is invalid or expired ({detail}). "
            "Harvest this window from the start."
        )
    return TerminalSourceError(
        f"arXiv refused {response.url}: {code} ({detail}). Check the requested set and dates."
    )


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
