"""Cleaned titles, and the title key that identifies a paper."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.parsing.clean import clean_text, one_line, title_key

pytestmark = pytest.mark.unit


def cleaned(text: str | None) -> str | None:
    return clean_text(pl.Series("t", [text, "a neighbour"], dtype=pl.String))[0]


def key(text: str | None) -> str | None:
    return (
        pl.DataFrame({"t": [text]}, schema={"t": pl.String}).select(title_key(pl.col("t"))).item()
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain", "Plain"),
        ("Folded\n  title\t here", "Folded title here"),
        ("No\u00a0break\u200bspace", "No break space"),
        ("Bell\x07 and\x1b[31m red\0", "Bell and [31m red"),
        ("  ", None),
        ("", None),
        (None, None),
        ("$μ$LO", "μLO"),
        (r"$\mu$LO", "μLO"),
        (r"Schr\"odinger", "Schrödinger"),
        (r"Poincar\'{e}", "Poincaré"),
        (r"Fran\c{c}ois", "François"),
        (r"\textbf{Bold} and \emph{loud}", "Bold and loud"),
        (r"$\alpha$-$\beta$", "α-β"),
        (r"$O(n^{2})$ time", "O(n^2) time"),
        (r"10\% of \$5", "10% of $5"),
        ("Between $5 and $10", "Between $5 and $10"),
        ("$100,000 Question", "$100,000 Question"),
        ("<script>alert('x')</script>", "<script>alert('x')</script>"),
        ("=cmd()|A0", "=cmd()|A0"),
        ("\\", "\\"),
        ("$", "$"),
        ("{}", None),
    ],
)
def test_clean_text(text: str | None, expected: str | None) -> None:
    assert cleaned(text) == expected


@pytest.mark.parametrize("text", [r"\mu" * 500, "$" * 5_000, "{" * 5_000, "\\" * 5_000])
def test_hostile_latex_is_handled(text: str) -> None:
    assert len(cleaned(text) or "") <= len(text)


def test_clean_text_keeps_name_length_and_order() -> None:
    series = clean_text(pl.Series("t", [r"$\mu$", None, "b", "", "$x$"]))
    assert series.name == "t"
    assert series.to_list() == ["μ", None, "b", None, "x"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A Title: With-Hyphens", "a title with hyphens"),
        ("μLO", "ΜLO"),
        ("ﬁne", "fine"),
        ("e\u0301", "é"),
        ("Full-width Ａ", "full width A"),
        ("Ｃ＋＋", "c++"),
        ("C++: A Title", "C++ a title"),
        ("हिन्दी", "हिन्दी!"),
        ("e\u0301tude x\u0302", "\u00c9tude x\u0302"),
        ("a\u0323\u0302", "\u1ead"),  # marks in another order than in the composed letter
        ("İstanbul", "istanbul"),
        ("Text + Image", "Text  Image"),
        ("# 1", "1"),
        ("Fire \U0001f525\ufe0f now", "Fire now"),
        ("1\ufe0f\u20e3 Way", "1 Way"),
        ("H⁺ Ions", "H^+ ions"),
        ("A \u0301mark alone", "a mark alone"),
    ],
)
def test_titles_with_the_same_key(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Training Is Easier", "Training Is Much Easier"),
        ("Method 1", "Method 2"),
        ("C", "C++ für Anfänger"),
        ("Rust and C", "Rust and C++"),
        ("Rust and C#", "Rust and C"),
        ("Rust and C#", "Rust and C++"),
        ("C+ Compiler", "C++ Compiler"),
        ("10,000+ Words", "10,000 Words"),
        ("कि", "की"),
        ("की", "क"),
        ("x\u0302 Estimates", "x Estimates"),
        ("???", "!!!"),
    ],
)
def test_titles_with_different_keys(one: str, other: str) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        (r"Schr\"odinger", "Schrödinger"),
        (r"Poincar\'{e} Maps", "Poincare\u0301 maps"),
        (r"C\# and C$++$", "C# and C++"),
        (r"H$^{+}$ Ions", "H⁺ Ions"),
        (r"$\hat{x}$", "hat x"),
    ],
)
def test_latex_and_plain_titles_share_a_key(latex: str, plain: str) -> None:
    assert key(cleaned(latex)) == key(cleaned(plain))


@pytest.mark.parametrize("text", [None, "", "  "])
def test_blank_titles_have_no_key(text: str | None) -> None:
    assert key(text) is None


def test_one_line() -> None:
    assert one_line(" a\n\tb\0\x1bc\u200b ") == "a b c"
