"""The tokenizer and the sentence splitter of plain text."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ner_registry.data.segmentation import segment, split_sentences, tokenize


def words(text: str) -> list[str]:
    return [text[begin:end] for begin, end in tokenize(text)]


def sentences(text: str) -> list[str]:
    return [" ".join(sentence.tokens) for sentence in segment(text)]


WHOLE = """
    Anglo-Dutch 1996-08-22 2-1 49-year-old Jean-Luc non‐stop U.S.-led 55,000-seat S&P AT&T
    U.S. U.N. Mr. Dr. St. Inc. Corp. Ltd. Co. vs. e.g. i.e. a.m. Jan. Ph.D. J. J.-P. O.J. É. MR.
    Iraq-U.N. O'Neill D'Amato O’Neill o'clock l'Homme 1,000 3.5 10:30 1/2 1996/97 1996–97 +0.5
    .500 +44 10th 2.1m AA+ C++ US$ C$ ... .... .. -- --- *** ==
    https://example.org/a_b?c=d&e=%20#f http://example.org/A_(b) www.example.org
    derek.o-neill+ner@mail.example.org @some_handle #Hashtag #2nd snake_case cannot
"""


@pytest.mark.parametrize("token", WHOLE.split())
def test_stays_whole(token: str) -> None:
    assert words(f"so {token} is") == ["so", token, "is"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("He didn't", "He did n't"),
        ("can't won't don't ain't", "ca n't wo n't do n't ai n't"),
        ("DIDN'T couldn’t.", "DID N'T could n’t ."),
        ("Germany's", "Germany 's"),
        ("GERMANY'S U.S.'s 1990's", "GERMANY 'S U.S. 's 1990 's"),
        ("players' wins", "players ' wins"),
        ("Germany’s players’ wins", "Germany ’s players ’ wins"),
        ("they're we've I'll she'd I'm", "they 're we 've I 'll she 'd I 'm"),
        ("didn 't 's", "didn ' t 's"),
        ("the '96 final", "the ' 96 final"),
        ("'quoted' words", "' quoted ' words"),
        ("5% of $5", "5 % of $ 5"),
        ("US$1.5 A$2 €3 £4", "US$ 1.5 A$ 2 € 3 £ 4"),
        ("-5 +5", "- 5 +5"),
        ("12,", "12 ,"),
        ("Paris, Texas: hot; dry? Yes! No.", "Paris , Texas : hot ; dry ? Yes ! No ."),
        ('She said: "Go (now)."', 'She said : " Go ( now ) . "'),
        ("what?!", "what ? !"),
        ("“Go” «vite»", "“ Go ” « vite »"),
        ("wait...what... Mr...", "wait ... what ... Mr ..."),
        ("word--word three- and", "word -- word three- and"),
        ("and/or km/h", "and / or km / h"),
        ("Paris.", "Paris ."),
        ("Paris.Then reuters.com", "Paris . Then reuters.com"),
        ("in the U.S.", "in the U.S."),
        ("Acme Inc.", "Acme Inc."),
        ("Acme Inc.'s", "Acme Inc. 's"),
        ("Say no. No. 3 is No.2.", "Say no . No. 3 is No.2 ."),
        ("1. Ann Example\n2. Bo Sample 12.5", "1. Ann Example 2. Bo Sample 12.5"),
        ("in 1996. in 20.", "in 1996 . in 20 ."),
        ("(see https://example.org/x).", "( see https://example.org/x ) ."),
        ("<http://example.org>, ok", "< http://example.org > , ok"),
        ("write to a.b@example.org.", "write to a.b@example.org ."),
        ("#1 # @ a@b @ann's", "# 1 # @ a @b @ann 's"),
        ("😀😀 hi😀🎉", "😀😀 hi 😀 🎉"),
        ("👩‍👩‍👧👍🏽❤️ok", "👩‍👩‍👧 👍🏽 ❤️ ok"),
        ("🇫🇷🇩🇪", "🇫🇷 🇩🇪"),
        ('cafe\u0301 "\u0301 हिन्दी', 'cafe\u0301 "\u0301 हिन्दी'),
        ("東京は、雨。", "東京は 、 雨 。"),
        ("zero\u200bwidth a\u200cb", "zero \u200b width a\u200cb"),
        ("a\x1cb\x85c\xa0d\u2028e", "a b c d e"),
    ],
)
def test_cuts(text: str, tokens: str) -> None:
    assert words(text) == tokens.split(" ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann left. Bo stayed.", ["Ann left .", "Bo stayed ."]),
        (
            "Why? Because! 3 won... Élan lost.",
            ["Why ?", "Because !", "3 won ...", "Élan lost ."],
        ),
        ('"No." He left.', ['" No . "', "He left ."]),
        ("(It fell.) Then (rose).", ["( It fell . )", "Then ( rose ) ."]),
        ("It fell. (Then rose.)", ["It fell .", "( Then rose . )"]),
        ("It fell. “Oh.” 東京", ["It fell .", "“ Oh . ”", "東京"]),
        ('"Why?" he asked.', ['" Why ? " he asked .']),
        ("It cost (.500) Ann.", ["It cost ( .500 ) Ann ."]),
        ("Odd... but true.", ["Odd ... but true ."]),
        ("J. Smith met Dr. He and Mr. In.", ["J. Smith met Dr. He and Mr. In ."]),
        ("MR. THE and J.-P. Dupont.", ["MR. THE and J.-P. Dupont ."]),
        ("In the U.S. The rest.", ["In the U.S.", "The rest ."]),
        ("In the U.S. Senate he rose.", ["In the U.S. Senate he rose ."]),
        ('Bought "Acme Inc." It rose.', ['Bought " Acme Inc. "', "It rose ."]),
        ("Acme Inc. said so.", ["Acme Inc. said so ."]),
        ("It fell on Jan. 5. It rose.", ["It fell on Jan. 5 .", "It rose ."]),
        ("No. 5 won. He said no. 6 lost.", ["No. 5 won .", "He said no. 6 lost ."]),
        ("1. Ann\n2. Bo", ["1. Ann 2. Bo"]),
        ("one\ntwo", ["one two"]),
        ("one\r\ntwo", ["one two"]),
        ("one\n\ntwo", ["one", "two"]),
        ("one\r\n \t\r\n\n\ntwo three", ["one", "two three"]),
        ("\n\nMr.\n\nSmith\n\n", ["Mr.", "Smith"]),
        ("It fell. - It rose.", ["It fell .", "- It rose ."]),
        ("雨。「晴れ。」東京", ["雨 。", "「 晴れ 。 」", "東京"]),
        ("क है। ख है।", ["क है ।", "ख है ।"]),
        ("", []),
        (" \n\n\t\xa0", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_segment_gives_offsets_into_the_whole_text() -> None:
    text = "  Ann left.\n\nBo's here."
    first, second = segment(text)
    assert first.text is text
    assert second.text is text
    assert first.offsets == [(2, 5), (6, 10), (10, 11)]
    assert second.tokens == ["Bo", "'s", "here", "."]
    assert second.offsets == [(13, 15), (15, 17), (18, 22), (22, 23)]
    assert second.tags is None


# Lone surrogates are left out by ``st.text()``, and arbitrary characters rarely form a word.
ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text(
    st.sampled_from(
        "aBs.stn't’.-–,:/1 2$%#@&+()\"'!?…。」\n\r_*hp\u0301\u200d\ufe0f😀👩🇫\ud83d\x1c"
    )
)


@given(ANY_TEXT)
@example("http://www.a@b.c\ud83d\ude00")
def test_loses_nothing_but_white_space(text: str) -> None:
    spans = tokenize(text)
    tokens = [text[begin:end] for begin, end in spans]
    assert "".join(tokens) == "".join(c for c in text if not c.isspace())
    assert all(token and not any(map(str.isspace, token)) for token in tokens)
    ends = [0, *(end for _, end in spans)]
    assert all(end <= begin for end, (begin, _) in zip(ends, spans, strict=False))

    bounds = split_sentences(text, spans)
    assert [i for first, last in bounds for i in range(first, last)] == list(range(len(spans)))
    assert all(first < last for first, last in bounds)

    found = segment(text)
    assert [token for sentence in found for token in sentence.tokens] == tokens
    assert [span for sentence in found for span in sentence.offsets or ()] == spans


@pytest.mark.parametrize(
    "pattern",
    [
        *"a.-1 \n\"'!@#+($",
        "a.",
        "A.",
        "A-",
        "a-",
        "a'",
        "can't",
        "1,",
        "a@b.",
        "a%",
        "http://(",
        "http://.)",
        "www.!",
        "#1",
        "Mr. ",
        "U.S.-",
        ". ",
        '.") A',
        "\r\n",
        "\n ",
        "\n1. ",
        "。」A",
        "😀",
        "👩\u200d",
        "\u0301",
    ],
)
def test_time_grows_with_the_text_and_not_faster(pattern: str) -> None:
    def seconds(characters: int) -> float:
        text = (pattern * characters)[:characters]
        start = time.process_time()
        segment(text)
        return time.process_time() - start

    small, large = 20_000, 160_000
    # Eight times the text: quadratic time would be 64 times as long. The constant is for what
    # a busy machine adds to times as short as these.
    assert seconds(large) < 24 * min(seconds(small) for _ in range(3)) + 0.5
