"""Makes the sample corpus: invented news, tagged in the four columns of CoNLL-2003 (IOB1).

The same files come out every time::

    python -m ner_registry.sample.generate
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar

from ner_registry.sample import lexicon
from ner_registry.sample.lexicon import Genre, Parts

SEED = 2003
SENTENCES = {"train": 700, "dev": 150, "test": 150}
SHORTEST, LONGEST = 8, 20  # sentences of a document
RESERVED_SHARE = 0.35  # of the name parts in dev and test
DOCSTART = "-DOCSTART- -X- O O"
AN = re.compile(r"(?!uni|U\.S)[aeiou]|8|11$|18$", re.IGNORECASE)  # what "an" precedes

T = TypeVar("T")


class Token(NamedTuple):
    """A word, its part of speech, its entity type or "", and whether it begins an entity."""

    word: str
    pos: str
    entity: str = ""
    begins: bool = False


class Person(NamedTuple):
    """A first name and a surname."""

    first: str
    surname: str


class Firm(NamedTuple):
    """A company's short name and what follows it in the full one."""

    short: str
    suffix: str


def _mention(text: str, entity: str, pos: str = "NNP") -> list[Token]:
    """The tokens of a name: ``University of Hartwick`` as one entity."""
    tags = {"'s": "POS", "&": "CC", "of": "IN", "in": "IN", "to": "TO"}
    return [
        Token(word, "CD" if word.isdigit() else tags.get(word, pos), entity, place == 0)
        for place, word in enumerate(text.split())
    ]


class Names:
    """Draws names; ``reserved`` opens the parts that no training sentence has."""

    def __init__(self, random: Random, reserved: bool) -> None:
        self.random = random
        self.reserved = reserved

    def part(self, parts: Parts) -> str:
        use_reserved = self.reserved and self.random.random() < RESERVED_SHARE
        return self.random.choice(parts.reserved if use_reserved else parts.common)

    def surname(self) -> str:
        if self.random.random() < 0.5:
            return self.part(lexicon.SURNAMES)
        tails = lexicon.SHARED_TAILS + lexicon.SURNAME_TAILS
        return self.part(lexicon.HEADS) + self.random.choice(tails)

    def person(self) -> Person:
        return Person(self.part(lexicon.FIRST_NAMES), self.surname())

    def town(self) -> str:
        if self.random.random() < 0.4:
            return self.part(lexicon.TOWNS)
        tails = lexicon.SHARED_TAILS * 2 + lexicon.TOWN_TAILS
        return self.part(lexicon.HEADS) + self.random.choice(tails)

    def country(self) -> tuple[str, str]:
        name, adjective = self.part(lexicon.COUNTRIES).split("/")
        return name, adjective

    def brand(self) -> str:
        return self.part(lexicon.BRANDS) + self.random.choice(lexicon.BRAND_TAILS)

    def firm(self) -> Firm:
        makers = (self.brand, self.brand, self.surname, self.town)
        return Firm(self.random.choice(makers)(), self.part(lexicon.FIRM_SUFFIXES))

    def club(self) -> str:
        town, form = self.town(), self.random.random()
        if form < 0.6:
            return town
        if form < 0.85:
            return f"{town} {self.part(lexicon.CLUB_SUFFIXES)}"
        return f"{self.part(lexicon.CLUB_PREFIXES)} {town}"

    def university(self) -> str:
        return f"{self.town()} {self.random.choice(('University', 'Institute', 'College'))}"

    def paper(self) -> str:
        paper = self.part(lexicon.PAPERS)
        return f"{self.town()} {paper}" if self.random.random() < 0.5 else paper

    def event(self) -> str:
        if self.random.random() < 0.35:
            return self.part(lexicon.EVENTS)
        owner = self.random.choice((self.town(), self.country()[1]))
        return f"{owner} {self.part(lexicon.EVENT_TAILS)}"

    def product(self) -> str:
        brand = self.brand()
        if self.random.random() < 0.4:
            return brand
        return f"{brand} {self.part(lexicon.PRODUCT_TAILS)}"


class Document:
    """Fills in templates; slots with a digit keep their filling for the document."""

    def __init__(self, random: Random, reserved: bool) -> None:
        self.random = random
        self.names = Names(random, reserved)
        self.kept: dict[str, Any] = {}  # for the document
        self.used: list[Any] = []  # in the sentence

    def sentence(self, template: str, capitals: bool = False) -> list[Token]:
        """A template's tokens, with ``an`` before vowels and a capital at the beginning."""
        self.used = []
        tokens = list(self._expand(template))
        for place, (token, after) in enumerate(pairwise(tokens)):
            if token.word == "a" and AN.match(after.word):
                tokens[place] = token._replace(word="an")
        if capitals:
            return [token._replace(word=token.word.upper()) for token in tokens]
        opening = next((i for i, token in enumerate(tokens) if token.word != '"'), 0)
        word = tokens[opening].word
        tokens[opening] = tokens[opening]._replace(word=word[:1].upper() + word[1:])
        return tokens

    def _expand(self, template: str) -> Iterator[Token]:
        for item in template.split():
            if item.startswith("{"):
                slot = self.random.choice(item.strip("{}").split("|"))
                if slot in lexicon.PHRASES:
                    yield from self._expand(self.random.choice(lexicon.PHRASES[slot]))
                else:
                    yield from self._fill(slot)
            else:
                words, _, pos = item.partition("/")
                word = self.random.choice(words.split("|"))
                yield Token(word, pos or _part_of_speech(word))

    def _keep(self, key: str, digit: str, make: Callable[[], T]) -> T:
        """What the slot was filled with before, else a filling new to the sentence."""
        filling: T
        if digit and key + digit in self.kept:
            filling = self.kept[key + digit]
        else:
            fillings = (make() for _ in range(20))
            filling = next(each for each in fillings if _short(each) not in self.used)
            if digit:
                self.kept[key + digit] = filling
        self.used.append(_short(filling))
        return filling

    def _fill(self, slot: str) -> list[Token]:
        kind = slot.rstrip("0123456789")
        digit = slot[len(kind) :]
        names = self.names
        if kind in ("per", "sur"):
            person = self._keep("per", digit, names.person)
            return _mention(" ".join(person) if kind == "per" else person.surname, "PER")
        if kind in ("firm", "short"):
            firm = self._keep("firm", digit, names.firm)
            return _mention(" ".join(firm) if kind == "firm" else firm.short, "ORG")
        if kind in ("country", "nat"):
            name, adjective = self._keep("country", digit, names.country)
            if kind == "country":
                return _mention(name, "LOC")
            return _mention(adjective, "MISC", "JJ")
        if kind in ENTITY_SLOTS:
            entity, make = ENTITY_SLOTS[kind]
            return _mention(self._keep(kind, digit, lambda: make(names)), entity)
        pos, write = WORD_SLOTS[kind]
        return [Token(word, pos) for word in write(names).split()]

    def sentences(self, genre: Genre, count: int) -> Iterator[list[Token]]:
        """The document itself: perhaps a headline, byline and dateline, then the body."""
        chance = self.random.random
        opening = []
        if chance() < 0.55:
            opening.append(self.sentence(self.random.choice(genre.headlines), capitals=True))
        if chance() < 0.25:
            opening.append(self.sentence("{per}"))
        if chance() < 0.8:
            opening.append(self.sentence("{town1}", capitals=True) + self._fill("date"))
        yield from opening
        own = genre.body + (genre.reserved if self.names.reserved else ())
        special, general = _Deck(self.random, own), _Deck(self.random, lexicon.GENERAL)
        for _ in range(count - len(opening)):
            yield self.sentence((special if chance() < 0.8 else general).draw())


class _Deck:
    """Templates in a random order, dealt anew when none is left."""

    def __init__(self, random: Random, templates: Sequence[str]) -> None:
        self.random = random
        self.templates = templates
        self.left: list[str] = []

    def draw(self) -> str:
        if not self.left:
            self.left = list(self.templates)
            self.random.shuffle(self.left)
        return self.left.pop()


def _short(filling: object) -> object:
    """What two fillings of one sentence must not share."""
    match filling:
        case Person(_, surname):
            return surname
        case Firm(short, _):
            return short
    return filling


def _part(parts: Parts) -> Callable[[Names], str]:
    return lambda names: names.part(parts)


def _number(least: int, most: int, form: str = "{}") -> Callable[[Names], str]:
    return lambda names: form.format(names.random.randint(least, most))


def _score(names: Names) -> str:
    won = names.random.randint(1, 5)
    return f"{won}-{names.random.randrange(won)}"


def _draw(names: Names) -> str:
    goals = names.random.randint(0, 3)
    return f"{goals}-{goals}"


def _sets(names: Names) -> str:
    return " ".join(names.random.choice(("6-0", "6-2", "6-3", "6-4", "7-5", "7-6")) for _ in "12")


def _time(names: Names) -> str:
    r = names.random
    return f"{r.randint(1, 9)}:{r.randint(10, 59)}.{r.randint(10, 99)}"


def _date(names: Names) -> str:
    r = names.random
    return f"{r.randint(1994, 2009)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}"


def _war(names: Names) -> str:
    return f"{names.country()[1]} {names.random.choice(['Civil War', 'Revolution'])}"


ENTITY_SLOTS: dict[str, tuple[str, Callable[[Names], str]]] = {
    "town": ("LOC", Names.town),
    "region": ("LOC", _part(lexicon.REGIONS)),
    "area": ("LOC", _part(lexicon.AREAS)),
    "us": ("LOC", lambda names: "U.S."),
    "club": ("ORG", Names.club),
    "uni": ("ORG", Names.university),
    "university": ("ORG", lambda names: f"University of {names.town()}"),
    "paper": ("ORG", Names.paper),
    "body": ("ORG", _part(lexicon.BODIES)),
    "party": ("ORG", _part(lexicon.PARTIES)),
    "event": ("MISC", Names.event),
    "festival": ("MISC", lambda names: f"{names.town()} {names.part(lexicon.FESTIVAL_TAILS)}"),
    "based": ("MISC", lambda names: f"{names.town().split()[-1]}-based"),
    "holiday": ("MISC", _part(lexicon.HOLIDAYS)),
    "lang": ("MISC", _part(lexicon.LANGUAGES)),
    "product": ("MISC", Names.product),
    "adherent": ("MISC", _part(lexicon.ADHERENTS)),
    "title": ("MISC", _part(lexicon.TITLES)),
    "treaty": ("MISC", lambda names: f"{names.town()} Treaty"),
    "war": ("MISC", _war),
    "award": ("MISC", lambda names: f"{names.surname()} {names.part(lexicon.AWARDS)}"),
}
WORD_SLOTS: dict[str, tuple[str, Callable[[Names], str]]] = {
    "day": ("NNP", lambda names: names.random.choice(lexicon.DAYS)),
    "month": ("NNP", lambda names: names.random.choice(lexicon.MONTHS)),
    "role": ("NN", _part(lexicon.ROLES)),
    "dom": ("CD", _number(1, 28)),
    "year": ("CD", _number(1931, 2009)),
    "n": ("CD", _number(12, 96)),
    "few": ("CD", _number(2, 9)),
    "goals": ("CD", _number(1, 5)),
    "rank": ("CD", _number(1, 9, "{}.")),
    "minute": (
        "JJ",
        lambda names: f"{names.random.randint(2, 8)}{names.random.randint(4, 9)}th",
    ),
    "score": ("CD", _score),
    "draw": ("CD", _draw),
    "sets": ("CD", _sets),
    "time": ("CD", _time),
    "date": ("CD", _date),
}


def _part_of_speech(word: str) -> str:
    if word in lexicon.WORD_TAGS:
        return lexicon.WORD_TAGS[word]
    if word[0].isdigit():
        return "CD"
    marks = {"?": ".", "-": ":", ";": ":", "$": "$", "%": "NN"}
    return "NN" if word[0].isalpha() else marks.get(word, word)


def _chunk(tokens: Sequence[Token]) -> list[tuple[str, bool]]:
    """Each token's phrase and whether it begins one, by rule of thumb from the tags."""
    phrases: list[tuple[str, bool]] = []
    for place, token in enumerate(tokens):
        before = phrases[-1][0] if phrases else ""
        last = tokens[place - 1].pos if place else ""
        after = tokens[place + 1].pos if place + 1 < len(tokens) else ""
        predicate = before in ("VP", "ADVP") and not after.startswith(NOUNS)
        begins = False
        match token.pos:
            case "TO" | "RB" if after.startswith("VB") or token.word == "n't":
                phrase = "VP"
            case "IN" if token.word.lower() in SUBORDINATORS:
                phrase = "SBAR"
            case "IN" | "TO":
                phrase, begins = "PP", True
            case "RB" | "WRB" | "RBR":
                phrase = "ADVP"
            case "RP":
                phrase = "PRT"
            case "JJ" | "JJR" | "JJS" if predicate:
                phrase = "ADJP"
            case "CC" if token.entity:
                phrase = "NP"
            case pos if pos == "MD" or pos.startswith("VB"):
                phrase = "VP"
            case pos if (pos[0].isalpha() and pos != "CC") or pos == "$":
                phrase = "NP"
                begins = pos in NOUN_PHRASE_OPENERS or last in ("PRP", "WDT", "WP")
            case _:
                phrase = ""
        phrases.append((phrase, begins or phrase != before))
    return phrases


SUBORDINATORS = ("that", "because", "although", "whether", "if", "while", "than")
NOUNS = ("NN", "JJ", "CD")
NOUN_PHRASE_OPENERS = ("DT", "PRP", "PRP$", "POS", "WP", "WDT", "EX")


def iob1(labels: Sequence[tuple[str, bool]]) -> list[str]:
    """IOB1 tags of (label or "", begins): ``B-`` only right after another span of its label."""
    tags = []
    before = ""
    for label, begins in labels:
        tags.append(f"{'B' if begins and label == before else 'I'}-{label}" if label else "O")
        before = label
    return tags


def _rows(tokens: Sequence[Token]) -> str:
    chunks = iob1(_chunk(tokens))
    tags = iob1([(token.entity, token.begins) for token in tokens])
    rows = zip(tokens, chunks, tags, strict=True)
    return "".join(f"{token.word} {token.pos} {chunk} {tag}\n" for token, chunk, tag in rows)


def _split(name: str, sentences: int) -> str:
    """One file: documents of all genres in turn until there are that many sentences."""
    random = Random(f"{SEED} {name}")
    genres = _Deck(random, tuple(lexicon.GENRES))
    blocks = []
    left = sentences
    while left:
        count = left
        if left > LONGEST:
            count = random.randint(SHORTEST, min(LONGEST, left - SHORTEST))
        left -= count
        document = Document(random, reserved=name != "train")
        blocks.append(DOCSTART + "\n")
        blocks += map(_rows, document.sentences(lexicon.GENRES[genres.draw()], count))
    return "\n".join(blocks) + "\n"


def corpus() -> dict[str, str]:
    """The text of each file of the corpus, by file name."""
    return {f"{name}.conll": _split(name, count) for name, count in SENTENCES.items()}


def main() -> None:
    """Writes the corpus beside this module."""
    for name, text in corpus().items():
        Path(__file__).with_name(name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
