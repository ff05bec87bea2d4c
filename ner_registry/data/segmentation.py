"""Plain text cut into tokens and sentences, the way the CoNLL-2003 corpus is cut.

A tagger only knows the words it was trained on, so text must reach it cut as its training data
were: ``Anglo-Dutch`` whole, ``Germany's`` as ``Germany`` and ``'s``, ``$5`` as ``$`` and ``5``.
Nothing but white space is ever lost: the tokens, concatenated, are the text without it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from ner_registry.data.sentence import Sentence


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# A name follows these, so the period after them never ends a sentence.
_TITLES = _words(
    "Mr Mrs Ms Mx Dr Prof Rev Hon St Mt Ft Gen Maj Col Lt Capt Cmdr Adm Sgt Cpl Gov Sen Rep "
    "Pres Amb vs v"
)
# Without those that are also common words (May, Wash, Miss): they'd swallow a final period.
_ABBREVIATIONS = _TITLES | _words(
    "Inc Corp Ltd Co Cos Bros Jr Sr Jan Feb Mar Apr Aug Sep Sept Oct Nov Dec "
    "Ala Ariz Calif Colo Conn Fla Mich Minn Okla Penn Tenn Wis Wyo etc al approx vol pp"
)
# After an abbreviation a capital proves nothing (``U.S. Senate``), but these words do.
_STARTERS = _words(
    "A After Although An And As At Both But By For From He Her His However I If In It Its Many "
    "Meanwhile On Our She Since Some That The Their Then There These They This Those Under We "
    "What When While With You"
)
_ENDERS = frozenset(".!?…؟۔।")
# Scripts that write no space between sentences.
_WIDE_ENDERS = frozenset("。！？")
_WIDE = _WIDE_ENDERS | frozenset("」』）")
_CLOSERS = frozenset("\"')]}”’»」』）")
_OPENERS = frozenset("\"'`([{“‘„«‹「『（¿¡@#$€£¥-–—*•")
_MAY_END = _ENDERS | _WIDE_ENDERS | _CLOSERS

# What a word can't hold. Words are defined by what they aren't, since ``\w`` lacks the combining
# marks and joiners that Indic scripts, Arabic and decomposed accents have inside their words.
_NOT_WORD = (
    r"\s!-/:-@\[-\^`{-~"  # ASCII, save the underscore
    r"\xa1-\xa9\xab\xac\xae-\xb1\xb4\xb6\xb8\xbb\xbf\xd7\xf7"  # Latin-1
    r"\u055a-\u055f\u0589\u060c\u061b\u061f\u066a\u06d4\u0964\u0965"  # Armenian, Arabic, Hindi
    r"\u200b\u200e-\u205e\u20a0-\u20cf\u2122\u2190-\u2bff\u2e00-\u2e7f"  # dashes to dingbats
    r"\u3001-\u3004\u3008-\u3020\u3030\u303d-\u303f"  # Chinese, Japanese and Korean
    r"\ufe10-\ufe19\ufe30-\ufe6b\ufeff\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
    r"\U0001f000-\U0001faff"  # emoji
)
_W = f"[^{_NOT_WORD}]"
_LETTER = r"[^\W\d_]"
_UPPER = "[A-ZÀ-ÖØ-ÞĆČĐĞİŁŃŐŚŞŠŰŹŻŽΑ-ΩЀ-Я]"
_CLITIC = f"['’](?:[sdmSDM]|ll|LL|re|RE|ve|VE)(?!{_W})"
_NT = f"[nN]['’][tT](?!{_W})"
# What modifies the sign before it: accents, variation selectors, skin tones, flags' letters.
_MARKS = r"[\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
_ANY_ABBREVIATION = "|".join(sorted(_ABBREVIATIONS | {a.upper() for a in _ABBREVIATIONS}))

# The order matters: the first alternative that matches wins. Every one of them either takes what
# it has scanned, or has scanned a bounded stretch, or leaves it to a later one that takes it all:
# that is what keeps the time linear in the text.
_TOKEN = re.compile(
    rf"""
    # Most words: nothing to decide, so not worth trying the rest.
      {_W}++(?= \s | , \s )
    # Web addresses, without the punctuation of the sentence around them; they may hold a pair of
    # parentheses, but not end with the one that was opened before them.
    | (?i:https?://|ftp://|www\.)
      (?: \( [^\s()<>"]*+ \) | [^\s()<>"]* [^\s()<>".,;:!?'’”…\]] )+
    # E-mail addresses; the bound is the standard's, and keeps a long word from being rescanned.
    | \w [\w.+%-]{{0,63}}+ @ [\w-]++ (?: \. [\w-]++ )+
    # Twitter's handles and hashtags, but not numbers (#1).
    | @ {_W}++
    | \# (?= \d*+ {_LETTER} ) {_W}++
    # Ranks, as in lists of results: their period isn't a full stop.
    | ^ \d{{1,2}} \. (?= [ \t]++ \S )
    # Initials and upper-case abbreviations (J., J.-P., U.S.), unless a longer word begins so.
    | {_UPPER} \. (?: -? {_UPPER} \. )* (?! -? {_W} | \. )
    # Abbreviations that are words of more than one letter; the look-ahead is for speed alone.
    | (?= [A-Za-z]{{1,6}} \. ) (?: {_ANY_ABBREVIATION} ) \. (?! -? {_W} | \. )
    # A common word, save where it counts something (No. 1).
    | [Nn][Oo]s? \. (?= [ ] \d )
    # Clitics, and the verbs that n't is cut off (ca n't, wo n't).
    | {_CLITIC}
    | {_NT}
    | [A-Za-z]{{2,6}}? (?= {_NT} )
    # Dollars by their country, as in US$ and C$.
    | [A-Z]{{1,3}} \$
    # Words and numbers with anything inside.
    | (?: (?: \+{{1,2}} \.? | \. ) (?= \d ) )?  # +44, .500; a minus is cut off in the corpus
      {_W}++
      (?:
        (?: [-‐‑&+]                             # Anglo-Dutch, 2-1, S&P, Fax+44
          | (?! {_CLITIC} ) ['’]                # O'Neill, l'Homme
          | \. [-‐‑]?                           # U.S.-led, 3.5, reuters.com
            (?! (?<= [a-z][a-z]\. ) [A-Z][a-z] )  # but a forgotten space isn't a name's period
          | (?<= \d ) [,:/–] (?= \d )           # 1,000 10:30 1/2 1996–97
        ) {_W}++
      )*
      (?: (?<= \.{_LETTER} ) \. (?! \. )        # a.m., Iraq-U.N.
        | [-‐‑] (?= \s )                        # three- and four-year
        | \+{{1,2}} (?! {_W} )                  # AA+, C++
      )?
    # Dashes and dots of any length.
    | -{{2,}}+ | \.{{2,}}+
    # Punctuation that is cut one by one, since it comes in any combination.
    | [!?"'`()\[\]{{}},;:“”‘’«»] {_MARKS}
    # Flags are pairs of letters.
    | [\U0001f1e6-\U0001f1ff]{{2}}
    # Any other sign: alone, joined to others by U+200D as families are, or a run of the same.
    | (?P<sign> \S {_MARKS} (?: \u200d [\u2190-\u2bff\U0001f000-\U0001faff] {_MARKS} )* )
      (?P=sign)*
    """,
    re.VERBOSE | re.MULTILINE,
)
# Windows ends a line with two characters, which must not count as two lines.
_BLANK_LINE = re.compile(r"(?:\r\n?+|\n)[^\S\r\n]*+(?:\r|\n)|\u2029")


def tokenize(text: str) -> list[tuple[int, int]]:
    """Token spans, (first character, one after last), as CoNLL-2003 cuts them."""
    return [match.span() for match in _TOKEN.finditer(text)]


def split_sentences(text: str, tokens: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of token indices (start, end exclusive), one per sentence.

    Args:
        text: the text.
        tokens: spans of characters in ``text``, in order and not overlapping.
    """
    if not tokens:
        return []
    cuts = [0]
    blank_lines = (match.start() for match in _BLANK_LINE.finditer(text))
    blank = next(blank_lines, len(text))
    for index, ((_, end), (following, _)) in enumerate(pairwise(tokens), 1):
        if blank < following:
            cuts.append(index)
            while blank < following:
                blank = next(blank_lines, len(text))
        elif text[end - 1] in _MAY_END and _ends_before(text, tokens, index):
            cuts.append(index)
    return list(pairwise([*cuts, len(tokens)]))


def segment(text: str) -> list[Sentence]:
    """Sentences of a text, each with its tokens and their offsets into the whole text.

    ``text`` of every sentence is the whole text, which ``offsets`` (in characters) refer to.
    """
    spans = tokenize(text)
    return [
        Sentence(
            tokens=[text[begin:end] for begin, end in spans[first:last]],
            offsets=spans[first:last],
            text=text,
        )
        for first, last in split_sentences(text, spans)
    ]


def _ends_before(text: str, tokens: Sequence[tuple[int, int]], index: int) -> bool:
    """Whether a sentence ends between token ``index - 1`` and token ``index``."""
    begin, end = tokens[index]
    opening = text[begin]
    if not (opening in _OPENERS or (opening.isalnum() and not opening.islower())):
        return False
    before = tokens[index - 1][1]
    if begin == before and text[before - 1] not in _WIDE:
        return False
    last = index - 1
    while last and text[tokens[last][0]] in _CLOSERS and tokens[last - 1][1] == tokens[last][0]:
        last -= 1
    word = text[slice(*tokens[last])]
    if word[0] in _ENDERS and not word[-1].isalnum():  # of "...", "!" with an accent, .500
        return begin > before
    if word[0] in _WIDE_ENDERS:
        return True
    if not word.endswith(".") or word[:-1] in _TITLES or word[:-1].capitalize() in _TITLES:
        return False
    is_initial = len(word) == 2
    return not is_initial and text[begin:end] in _STARTERS
