"""Settings that point all sources to the replay server."""

from __future__ import annotations

from typing import Any

from pipelines.settings import Settings
from tests.replay.server import ReplayServer


def settings_for(server: ReplayServer, **overrides: Any) -> Settings:
    """Settings with which Papertide only sends requests to the server."""
    return Settings(
        **{
            "hf_endpoint": server.url,
            "hf_token": None,
            "arxiv_oai_url": f"{server.url}/oai",
            "arxiv_api_url": f"{server.url}/arxiv/api/query",
            **overrides,
        }
    )
