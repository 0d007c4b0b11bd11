"""arXiv's metadata: whole days by OAI-PMH, single papers by the Atom API.

Belongs here: what to ask for, resumption tokens, the protocol's errors. Does not: HTTP
(`http.py`), or what a record means (`parsing/`). Both ways share one client, because arXiv allows
one request every three seconds over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from itertools import islice
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from pipelines.settings import Settings
from pipelines.sources.errors import BadResumptionToken, TerminalSourceError
from pipelines.sources.http.client import Answer, HttpClient
from pipelines.sources.http.clock import Clock
from pipelines.sources.http.closing import Closing
from pipelines.sources.http.fetched import Fetched

XML_TYPES = frozenset({"application/xml", "text/xml", "application/atom+xml"})
IDS_PER_REQUEST = 100
TITLE_MATCHES = 5
_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_ATOM = "{http://www.w3.org/2005/Atom}"


@dataclass(frozen=True)
class OaiPage:
    """One page of a harvest, whole and unchanged.

    `resumption_token` asks for the next page and is None on the last; it is good until midnight
    UTC, so whoever wants to go on later keeps it. `n_records` is 0 when nothing matches.
    `complete_list_size` is the server's own count, which it may leave out.
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

        Both days belong to the window. With `resume`, the token of the last page that the caller
        has, the harvest goes on after that page. When nothing matches, one page with no record
        comes. Raises BadResumptionToken when the window must be started anew, and otherwise as
        `HttpClient.get` does.
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
                    f"{page.url} gives a resumption token for the second time, so the list would "
                    "never end. Harvest this window from its start."
                )
            used.add(token)

    def _oai_page(self, parameters: dict[str, str]) -> OaiPage:
        answer = self._http.get(
            self._oai_url, {"verb": "ListRecords", **parameters}, accept="application/xml"
        )
        n_records, token, size, error = 0, None, None, None
        for element in _elements(answer, f"{_OAI}OAI-PMH"):
            if element.tag == f"{_OAI}record":
                n_records += 1
                element.clear()
            elif element.tag == f"{_OAI}resumptionToken":
                token = (element.text or "").strip() or None
                size = _count(element.get("completeListSize"))
            elif element.tag == f"{_OAI}error" and error is None:
                error = element
        if error is not None and error.get("code") != "noRecordsMatch":
            raise _oai_error(answer, error, with_token="resumptionToken" in parameters)
        if error is None and not n_records and token is None:
            raise TerminalSourceError(
                f"{answer.url} sent OAI-PMH without records and without an error. "
                "If it stays so, the source has changed."
            )
        return OaiPage(answer.url, answer.body, answer.fetched_at, n_records, token, size)

    def by_ids(self, ids: Iterable[str]) -> Iterator[Fetched]:
        """Atom answers for papers by arXiv id, a hundred at a time; unknown ids are left out.

        Ids must be well-formed: arXiv refuses a whole request for one that is not. Raises as
        `HttpClient.get` does.
        """
        rest = iter(dict.fromkeys(ids))
        batch, number = list(islice(rest, IDS_PER_REQUEST)), 0
        while batch:
            following = list(islice(rest, IDS_PER_REQUEST))
            yield self._look_up(_ids(batch), number, is_last=not following)
            batch, number = following, number + 1

    def by_title(self, title: str) -> Fetched:
        """An Atom answer with at most five papers whose title has these words in this order.

        Raises as `HttpClient.get` does.
        """
        words = " ".join(title.replace('"', " ").replace("\\", " ").split())
        query = {"search_query": f'ti:"{words}"', "max_results": str(TITLE_MATCHES)}
        return self._look_up(query, 0, is_last=True)

    def _look_up(self, query: dict[str, str], number: int, *, is_last: bool) -> Fetched:
        answer = self._http.get(self._api_url, query, accept="application/atom+xml")
        entries = sum(e.tag == f"{_ATOM}entry" for e in _elements(answer, f"{_ATOM}feed"))
        return Fetched(
            url=answer.url,
            body=answer.body,
            fetched_at=answer.fetched_at,
            page=number,
            n_items=entries,
            is_last=is_last,
            content_type=answer.content_type,
        )


def _ids(batch: Sequence[str]) -> dict[str, str]:
    # Without max_results only ten come.
    return {"id_list": ",".join(batch), "max_results": str(len(batch))}


def _elements(answer: Answer, root_tag: str) -> Iterator[Element]:
    """Elements of the answer as they end. Raises TerminalSourceError when it is no such XML."""
    if answer.content_type not in XML_TYPES:
        raise _not_xml(answer, f"was sent as {answer.content_type or 'nothing in particular'}")
    root: Element | None = None
    try:
        for event, element in iterparse(
            BytesIO(answer.body), events=("start", "end"), forbid_dtd=True
        ):
            if root is None:
                root = element
                if root.tag != root_tag:
                    raise _not_xml(answer, f"begins with <{root.tag.rpartition('}')[2]}>")
            if event == "end":
                yield element
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise _not_xml(answer, f"can't be read as XML ({error})") from None


def _not_xml(answer: Answer, what: str) -> TerminalSourceError:
    return TerminalSourceError(
        f"The answer of {answer.url} {what}, so there is nothing to go on with. It may be a notice "
        "of maintenance: try later, and check the settings of the sources."
    )


def _oai_error(answer: Answer, error: Element, *, with_token: bool) -> TerminalSourceError:
    code, words = error.get("code", "no code"), " ".join("".join(error.itertext()).split())[:200]
    # A token is arguments in disguise: when it is damaged, those may be what is complained of.
    if code == "badResumptionToken" or (with_token and code == "badArgument"):
        return BadResumptionToken(
            f"{answer.url}: the resumption token is not or no longer good ({words}). "
            "Harvest this window from its start."
        )
    return TerminalSourceError(f"{answer.url} was refused: {code} ({words}). Check what is asked.")


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
