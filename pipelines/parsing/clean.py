"""Text clean-up: folded lines, LaTeX made readable, and the key that identity compares.

Belongs here: pure text → text, vectorised. The rules are listed in docs/methodology.md.
"""

from __future__ import annotations

import re

import polars as pl

# LaTeX accents become combining marks behind the letter; NFC then joins both.
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


# Control characters count as white space: terminals and XML readers stumble over them. A plain
# space alone is no match: replacing each by itself would be most of the work.
_BLANK = r"\s\p{Cc}\x{200b}"
BLANKS = rf"[[{_BLANK}]--\x20][{_BLANK}]*| [{_BLANK}]+"
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b]+")


def one_line(text: str) -> str:
    """One text on one line, white space and control characters folded."""
    return _BLANKS.sub(" ", text).strip()


def clean_text(texts: pl.Series) -> pl.Series:
    """The texts on one line, LaTeX made readable; blank becomes null. Same name and length."""
    folded = texts.str.replace_all(BLANKS, " ").str.strip_chars()
    has_tex = folded.str.contains(r"[$\\{]").fill_null(value=False)
    if has_tex.any():
        plain = _readable_tex(folded.filter(has_tex))
        folded = folded.scatter(has_tex.arg_true(), plain)
    return folded.replace({"": None}).alias(texts.name)


def _readable_tex(texts: pl.Series) -> pl.Series:
    """LaTeX to Unicode where a reader gains by it; what is unknown stays as it is."""
    out = texts
    for mark, combining in _ACCENTS.items():
        pattern = rf"\\\{mark}\s?\{{?\\?([A-Za-z])\}}?"
        out = out.str.replace_all(pattern, "${1}" + combining)
    for letter, combining in _LETTER_ACCENTS.items():
        out = out.str.replace_all(rf"\\{letter}\{{\\?([A-Za-z])\}}", "${1}" + combining)
    for command, letter in _LETTERS.items():
        out = out.str.replace_all(rf"\{command}(\{{\}}|\b)\s?", letter)
    # \textbf{X}, \mathcal{X}, … keep what they hold; twice, for one level of nesting.
    for _ in range(2):
        out = out.str.replace_all(
            r"\\(?:text|math|operatorname|emph|mbox|boldsymbol|underline|href|url|rm|bf|it|tt|sc)"
            r"[a-z]*\*?\s?\{([^{}]*)\}",
            "${1}",
        )
    names = "|".join(sorted(_SYMBOLS, key=len, reverse=True))
    # A private mark around each known command, then one pass of literal replacements.
    # Twice, since the letter-free character that ends one may begin the next.
    for _ in range(2):
        out = out.str.replace_all(rf"\\({names})(?:\{{\}}|([^A-Za-z])|$)", "\ue000${1}\ue001${2}")
    out = out.str.replace_many({f"\ue000{k}\ue001": v for k, v in _SYMBOLS.items()})
    out = out.str.replace_all(r"([_^])\{([^{}]*)\}", "${1}${2}")
    # Paired dollars around maths go; money stays: the opening one must touch what follows, the
    # closing one what precedes, and no digit may follow the closing one. Twice, as pairs may touch.
    for _ in range(2):
        out = out.str.replace_all(r"\$([^\s$](?:[^$]*[^\s$\\])?)\$([^0-9]|$)", "${1}${2}")
    out = out.str.replace_all(r"\\([%&$#_{}])", "${1}")
    out = out.str.replace_all(r"\\(?:em|it|bf|rm|tt|sc)\b", "")
    out = out.str.replace_all(r"\\[,;:! ()\[\]\\]", " ").str.replace_all(r"[{}]", "")
    return out.str.normalize("NFC").str.replace_all(BLANKS, " ").str.strip_chars()


# What a key keeps: letters and digits, and the marks, `+` and `#` directly behind them. A match
# starts at the text's begin or at what is dropped, and takes along marks and signs that have lost
# their letter. Variation selectors are marks that only choose a glyph.
_SELECTORS = r"\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}"
_NOT_IN_KEY = rf"(?:^|[^\p{{L}}\p{{N}}\p{{M}}+#]|[{_SELECTORS}])[^\p{{L}}\p{{N}}]*"
_DOTTED_I = "i\u0307"  # what lower case makes of the Turkish capital


def title_key(title: pl.Expr) -> pl.Expr:
    """Lower-case letters and digits of the title with what is attached; null when none are left.

    White space, punctuation, hyphens, dollars and case never tell two papers apart; marks, `+` and
    `#` behind a letter or a digit do: `C`, `C++` and `C#` are three words.
    """
    key = (
        title.str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_all(_DOTTED_I, "i", literal=True)
        .str.replace_all(r"[_^]+([+#])", "${1}")  # `H^+` is what LaTeX makes of `H⁺`
        .str.replace_all(_NOT_IN_KEY, "")
    )
    bare = title.str.replace_all(r"\s+", "")
    # A title of symbols alone is still a title.
    chosen = pl.when(key.str.len_chars() > 0).then(key).otherwise(bare)
    return pl.when(chosen.str.len_chars() > 0).then(chosen).otherwise(pl.lit(None, pl.String))
