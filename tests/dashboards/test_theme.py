"""Colours: contrast, uniqueness, and use in the style sheet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboards import theme

pytestmark = pytest.mark.dashboards

STYLE = Path(theme.__file__).with_name("assets") / "style.css"
TEXTS = ("ink", "muted", "accent", "second", "third", "warning")
BACKGROUNDS = ("paper", "surface", "sunk")


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", BACKGROUNDS)
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["light", "dark"])
def test_text_has_enough_contrast(name: str, text: str, ground: str) -> None:
    colours = theme.THEMES[name].colours()
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
def test_calendar_colours_differ_in_lightness(name: str) -> None:
    one = theme.THEMES[name]
    for a, b in ((one.complete, one.captured), (one.missing, one.quiet), (one.captured, one.quiet)):
        assert contrast(a, b) >= 1.5


def test_light_colours_map_to_dark_ones_unambiguously() -> None:
    light, dark = theme.LIGHT.colours(), theme.DARK.colours()
    assert len(set(light.values())) == len(light)
    assert not set(light.values()) & set(dark.values())


def test_the_style_sheet_uses_theme_colours_only() -> None:
    text = STYLE.read_text(encoding="utf-8")
    known = {f"--{role.replace('_', '-')}" for role in theme.LIGHT.colours()}
    known |= {"--sans", "--serif", "--mono", "--table-height"}
    used = set(re.findall(r"var\((--[a-z0-9-]+)", text))
    assert used <= known
    assert not re.findall(r"#[0-9a-f]{3,8}\b(?=[;\s,)])", text)


def test_the_style_sheet_loads_no_resource() -> None:
    text = STYLE.read_text(encoding="utf-8")
    assert "url(" not in text
    assert "@import" not in text
