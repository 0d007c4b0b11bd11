"""Colours, fonts and the Plotly template of the light and the dark theme.

Belongs here: every colour of pages and figures. Does not: layout (the style sheet) or what a
figure shows (`figures`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache

import plotly.graph_objects as go

SANS = (
    "ui-sans-serif, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'Noto Sans', sans-serif"
)
SERIF = "Charter, 'Iowan Old Style', Georgia, 'Liberation Serif', 'Noto Serif', serif"
MONO = "ui-monospace, 'SF Mono', Menlo, 'Liberation Mono', monospace"


@dataclass(frozen=True)
class Theme:
    """Colours by role. All colours of a theme differ, so that one theme maps to the other."""

    name: str
    paper: str
    surface: str
    sunk: str
    ink: str
    muted: str
    rule: str
    grid: str
    accent: str
    accent_band: str
    second: str
    second_band: str
    third: str
    third_band: str
    warning: str
    complete: str
    captured: str
    missing: str
    quiet: str

    def colours(self) -> dict[str, str]:
        """Role → colour."""
        return {role: colour for role, colour in asdict(self).items() if role != "name"}

    def series(self) -> tuple[tuple[str, str], ...]:
        """Line and band colours in order of use.

        Blue, vermilion and green of Okabe & Ito (2008), darkened or lightened for contrast with
        the background.
        """
        return (
            (self.accent, self.accent_band),
            (self.second, self.second_band),
            (self.third, self.third_band),
        )


LIGHT = Theme(
    name="light",
    paper="#fcfbf8",
    surface="#ffffff",
    sunk="#f3f1ea",
    ink="#1c1b19",
    muted="#605c54",
    rule="#d8d3c7",
    grid="#e9e5db",
    accent="#0b5c94",
    accent_band="rgba(11,92,148,0.17)",
    second="#b3470c",
    second_band="rgba(179,71,12,0.17)",
    third="#00705a",
    third_band="rgba(0,112,90,0.17)",
    warning="#8a4200",
    complete="#1d6c8a",
    captured="#94c5d5",
    missing="#d2593a",
    quiet="#eeebe3",
)

DARK = Theme(
    name="dark",
    paper="#15171a",
    surface="#1b1e22",
    sunk="#101214",
    ink="#ece9e2",
    muted="#aca89e",
    rule="#3a3e45",
    grid="#2a2e33",
    accent="#74b9ec",
    accent_band="rgba(116,185,236,0.22)",
    second="#f0925c",
    second_band="rgba(240,146,92,0.22)",
    third="#4fc3a1",
    third_band="rgba(79,195,161,0.22)",
    warning="#f0b070",
    complete="#56b4d3",
    captured="#2b5f71",
    missing="#e67a56",
    quiet="#23272c",
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def named(name: object) -> Theme:
    """The theme with this name; light for other names."""
    return THEMES.get(name, LIGHT) if isinstance(name, str) else LIGHT


def swaps() -> list[tuple[str, str]]:
    """Pairs of light and dark colours, for recolouring a light figure."""
    dark = DARK.colours()
    return [(colour, dark[role]) for role, colour in LIGHT.colours().items()]


def css_variables() -> str:
    """CSS custom properties of both themes."""

    def block(theme: Theme) -> str:
        rules = "".join(
            f"--{role.replace('_', '-')}:{value};" for role, value in theme.colours().items()
        )
        return f"color-scheme:{theme.name};{rules}"

    fonts = f"--sans:{SANS};--serif:{SERIF};--mono:{MONO};"
    return (
        f":root{{{fonts}{block(LIGHT)}}}"
        f"@media (prefers-color-scheme: dark){{:root:not([data-theme=light]){{{block(DARK)}}}}}"
        f":root[data-theme=dark]{{{block(DARK)}}}"
    )


@lru_cache
def template(theme: Theme) -> go.layout.Template:
    """The Plotly template of a theme."""
    axis = {
        "gridcolor": theme.grid,
        "linecolor": theme.rule,
        "zerolinecolor": theme.rule,
        "tickcolor": theme.rule,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        "tickfont": {"size": 12, "color": theme.muted},
        "title": {"font": {"size": 12, "color": theme.muted}, "standoff": 8},
    }
    return go.layout.Template(
        layout={
            "font": {"family": SANS, "size": 13, "color": theme.ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [line for line, _ in theme.series()],
            "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
            "xaxis": {**axis, "showgrid": False, "showline": True, "ticks": "outside"},
            "yaxis": {**axis, "showgrid": True, "showline": False},
            "showlegend": False,
            "dragmode": False,
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": theme.surface,
                "bordercolor": theme.rule,
                "align": "left",
                "font": {"family": SANS, "size": 13, "color": theme.ink},
            },
            "separators": ".,",
        }
    )
