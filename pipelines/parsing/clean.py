"""Text cleaning: line folds, LaTeX to Unicode, and the title key that identifies a paper.

Belongs here: pure text → text, vectorised. docs/methodology.md lists the rules.
"""

from __future__ import annotations

import re

import polars as pl

# LaTeX accents become combining marks after the letter; NFC then composes them.
_ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303",
    "=": "\u0304", ".": "\u0307",
}  # fmt: skip
_LETTER_ACCENTS = {"c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "k": "\u0328"}
_LETTERS = {r"\ss": "ß", r"\ae": "æ", r"\o": "ø", r"\O": "Ø", r"\l": "ł", r"\L": "Ł", r"\i": "i"}
_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ",
    "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
    "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω", "times": "×", "cdot": "·", "pm": "±", "approx": "≈", "sim": "~", "leq": "≤",
    "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "infty": "∞", "to": "→", "rightarrow": "→",
    "leftarrow": "←", "ell": "ℓ", "in": "∈", "circ": "°", "dots": "…", "ldots": "…",
    "nabla": "∇", "partial": "∂", "sum": "∑", "prod": "∏", "sqrt": "√", "log": "log",
    "ne": "≠", "leqslant": "≤", "geqslant": "≥", "exists": "∃", "forall": "∀", "deg": "°",
    "degree": "°", "textdegree": "°", "textregistered": "®", "ie": "i.e.", "eg": "e.g.",
    "left": "", "right": "", "textasciitilde": "~", "textemdash": "—", "textendash": "–",
    "quad": " ", "qquad": " ",
}  # fmt: skip


# Control characters count as white space, because they break terminals and XML readers. A single
# plain space does not match: replacing each by itself would be most of the work.
_BLANK = r"\s\p{Cc}\x{200b}"
BLANKS = rf"[[{_BLANK}]--\x20][{_BLANK}]*| [{_BLANK}]+"
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b]+")


def one_line(text: str) -> str:
    """The text on one line; runs of white space and control characters become one space."""
    return _BLANKS.sub(" ", text).strip()


def clean_text(texts: pl.Series) -> pl.Series:
    """The texts on one line with LaTeX as Unicode; blank becomes null. Same name and length."""
    folded = texts.str.replace_all(BLANKS, " ").str.strip_chars()
    has_tex = folded.str.contains(r"[$\\{]").fill_null(value=False)
    if has_tex.any():
        plain = _readable_tex(folded.filter(has_tex))
        folded = folded.scatter(has_tex.arg_true(), plain)
    return folded.replace({"": None}).alias(texts.name)


def _readable_tex(texts: pl.Series) -> pl.Series:
    """LaTeX as Unicode; unknown commands stay."""
    out = texts
    for mark, combining in _ACCENTS.items():
        pattern = rf"\\\{mark}\s?\{{?\\?([A-Za-z])\}}?"
        out = out.str.replace_all(pattern, "${1}" + combining)
    for letter, combining in _LETTER_ACCENTS.items():
        out = out.str.replace_all(rf"\\{letter}\{{\\?([A-Za-z])\}}", "${1}" + combining)
    for command, letter in _LETTERS.items():
        out = out.str.replace_all(rf"\{command}(\{{\}}|\b)\s?", letter)
    # \textbf{X}, \mathcal{X}, … become X; twice, for one level of nesting.
    for _ in range(2):
        out = out.str.replace_all(
            r"\\(?:text|math|operatorname|emph|mbox|boldsymbol|underline|href|url|rm|bf|it|tt|sc)"
            r"[a-z]*\*?\s?\{([^{}]*)\}",
            "${1}",
        )
    names = "|".join(sorted(_SYMBOLS, key=len, reverse=True))
    # Private-use characters around each known command, then one pass of literal replacements.
    # Twice, because the character that ends one command may start the next.
    for _ in range(2):
        out = out.str.replace_all(rf"\\({names})(?:\{{\}}|([^A-Za-z])|$)", "\ue000${1}\ue001${2}")
    out = out.str.replace_many({f"\ue000{k}\ue001": v for k, v in _SYMBOLS.items()})
    out = out.str.replace_all(r"([_^])\{([^{}]*)\}", "${1}${2}")
    # Drop paired dollars around maths, but keep money. A pair has no white space inside next to its
    # dollars and no digit after it. Twice, because pairs may touch.
    for _ in range(2):
        out = out.str.replace_all(r"\$([^\s$](?:[^$]*[^\s$\\])?)\$([^0-9]|$)", "${1}${2}")
    out = out.str.replace_all(r"\\([%&$#_{}])", "${1}")
    out = out.str.replace_all(r"\\(?:em|it|bf|rm|tt|sc)\b", "")
    out = out.str.replace_all(r"\\[,;:! ()\[\]\\]", " ").str.replace_all(r"[{}]", "")
    return out.str.normalize("NFC").str.replace_all(BLANKS, " ").str.strip_chars()


# A key keeps letters and digits, and the marks, `+` and `#` directly after them. The pattern
# matches the rest: from the start or from a dropped character up to the next letter or digit.
# Variation selectors are marks too, but they only select a glyph, so they are dropped.
_SELECTORS = r"\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}"
_NOT_IN_KEY = rf"(?:^|[^\p{{L}}\p{{N}}\p{{M}}+#]|[{_SELECTORS}])[^\p{{L}}\p{{N}}]*"
_DOTTED_I = "i\u0307"  # lower case of the Turkish capital


def title_key(title: pl.Expr) -> pl.Expr:
    """The title in lower case, reduced to letters, digits and what is attached to them.

    White space, punctuation, hyphens, dollars and case never distinguish two papers. Marks, `+` and
    `#` after a letter or digit do: `C`, `C++` and `C#` differ. Null for a blank title.
    """
    key = (
        title.str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_all(_DOTTED_I, "i", literal=True)
        .str.replace_all(r"[_^]+([+#])", "${1}")  # `H^+` is LaTeX for `H⁺`
        .str.replace_all(_NOT_IN_KEY, "")
    )
    bare = title.str.replace_all(r"\s+", "")
    # A title that is only symbols is its own key.
    chosen = pl.when(key.str.len_chars() > 0).then(key).otherwise(bare)
    return pl.when(chosen.str.len_chars() > 0).then(chosen).otherwise(pl.lit(None, pl.String))
