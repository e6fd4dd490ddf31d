"""Generated English sentences with entities, parts of speech and sentiment, in any number.

A small grammar, written as a table, generates tokens together with their tags. In many sentences later words determine
the annotation of earlier ones. `Washington` is a person, a location or an organization, depending on what follows;
`Book` is a verb in `Book the room` and a noun in `Book sales rose`; an opinion that begins positive may end negative.
The whole sentence is never ambiguous: the same tokens always have the same annotation.

Words are split as in the Penn Treebank (`did n't`, `Maria 's`) and tagged with the parts of speech of Universal
Dependencies. The sentiment is that of an opinion: a report of facts is neutral, a denied negative is positive, and of
two opinions that in the main clause, or else the later one, counts.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Literal, NamedTuple, TypeAlias, get_args
from zlib import crc32

from tagger.text.sentence import Label, Sentence, TagLayer

Split = Literal["train", "dev", "test"]

MAX_TOKENS = 25
ENTITY_TYPES = ("person", "location", "organization", "product")
SPLITS: tuple[Split, ...] = (*("train",) * 8, "dev", "test")  # the checksum of a text, modulo 10, is the index
STARTS = {"positive": ("opinion+", 3), "negative": ("opinion-", 3), "neutral": ("report", 4)}  # label: rule and weight

# Words that appear in rules without a tag.
COMMON = {
    "ADP": "in of at on from by with about",
    "ADV": "also only first",
    "AUX": "is was could have been do",
    "CCONJ": "and but neither nor",
    "DET": "the a an some",
    "PART": "not n't",
    "PRON": "it its her which who everyone nobody nothing",
    "PUNCT": ", . !",
    "SCONJ": "although whether as",
}

# `list/TAG = words`; a space inside an entry is written `_`.
WORDS = """
given/PROPN = Maria Peter Anna David Laura Thomas Emma Daniel Julia Robert Sarah Michael Elena Carlos Nadia Henrik Aisha
    Kenji Priya Omar Ingrid Pablo Mei Tariq Chloe Felix Greta Hugo Irene Kofi Leila Marco Nora Oscar Rosa Samir Tessa
surname/PROPN = Miller Lopez Schmidt Tanaka Novak Okafor Larsen Dubois Rossi Patel Kowalski Andersen Haddad Nguyen
    Murphy Fischer Ivanova Petrov Mendez Kim Suzuki Bauer Moreau Silva Cohen Reyes Wagner Farah Clarke Doyle Evans
    Foster Hughes Keller Meyer Olsen
title/PROPN = Mr. Dr. Senator Professor Judge
anyname/PROPN = Washington Jordan Paris Lincoln Austin Madison Jackson Houston Florence Sydney Chelsea Charlotte Orlando
    Georgia Virginia Phoenix Victoria Dallas Brooklyn Cleveland Hamilton Lancaster Wellington Nelson Darwin Berkeley
    Stanford Marshall Savannah Kent Chester Preston
place/PROPN = Norway Berlin New_York San_Francisco Cape_Town Tokyo Peru Lisbon Vienna Madrid Cairo Nairobi Hong_Kong
    Buenos_Aires Toronto Oslo Prague Kenya Brazil Chile Iceland Finland Seoul Mumbai Warsaw Dublin Rome Geneva Montreal
    Athens Rio_de_Janeiro Los_Angeles South_Korea New_Zealand Sri_Lanka Costa_Rica
landform/PROPN = Valley County Beach Springs Hills Island
firm/PROPN = Altavia Borealis Corvex Dynatek Everlight Granitex Helixon Interlink Kestrel Lumina Marwick Norvio
    Fernwood_Foods Jupiter_Media Meridian_Motors Redstone_Energy Silverline_Airlines Tidewater_Trust Blue_Harbour_Hotels
firmkind/PROPN = Motors Bank Airlines Media Steel Foods Group Partners
brand/PROPN = Nova Pulse Zephyr Orbit Comet Vertex Aero Sonic Titan Echo Prisma Quanta
model/PROPN = Pro Mini Max Plus Air Ultra
weekday/PROPN = Monday Tuesday Wednesday Thursday Friday Saturday Sunday
month/PROPN = January March April June July September October December
number/NUM = two three four five seven ten twelve twenty thirty sixty ninety 40 150 300 800
lately/ADV = recently meanwhile eventually earlier later afterwards
period/NOUN = week month year summer winter
quick/ADV = quickly slowly carefully quietly calmly

acted/VERB = smiled apologised resigned laughed waited sang hesitated nodded coughed retired agreed yawned
participle/VERB = left arrived finished moved waited travelled
leaving/VERB = leaving arriving sleeping cooking working travelling
handle/VERB = carry measure clean repair move inspect
done/VERB = carried measured cleaned repaired moved inspected photographed painted
visited/VERB = visited left toured reached photographed
returned/VERB = returned came went travelled
met/VERB = met called greeted interviewed
asked/VERB = asked talked read wrote
sold/VERB = sold gave sent lent
role/NOUN = singer painter pilot novelist
region/NOUN = state city port province region village island
business/NOUN = carmaker airline retailer publisher
worker/NOUN = nurse driver clerk reporter farmer plumber guard student waiter engineer librarian mechanic
relative/NOUN = sister brother mother father daughter uncle
landmark/NOUN = mayor harbour airport cathedral river
asset/NOUN = factory warehouse laboratory management
facility/NOUN = bridges museums airports parks
staff/NOUN = engineers drivers managers cooks
accessory/NOUN = cables filters lamps
direction/NOUN = north south east west
scenic/ADJ = small large quiet coastal remote
object/NOUN = room boat bridge garden fence letter parcel bicycle piano window ladder kitchen tent camera table gate van
text/NOUN = novel poem letter diary song
chore/NOUN = laundry dishes homework shopping ironing
guess/NOUN = guess rumour summary reply copy
event/NOUN = show meeting concert match lecture ceremony
building/NOUN = house school hotel theatre museum
door/NOUN = door gate window floor shelf
side/NOUN = back front top bottom
nounverb/NOUN = book record film paint cover water plan test map sketch
measure/NOUN = sales prices costs figures fees
rose/VERB = rose fell doubled dropped climbed
haul/NOUN = ship mail truck
goods/NOUN = parts supplies orders boxes
this/DET = that this
when/ADP = before after until

work/NOUN = film food service album hotel soup ending menu novel room staff plot concert phone breakfast acting sequel
scene/NOUN = ending dessert finale sequel waiter noise
crowd/NOUN = people children students tourists critics fans readers neighbours
degree/ADV = very really truly quite
good+/ADJ = wonderful great superb charming delightful brilliant excellent lovely clever splendid good fine
good-/ADJ = terrible dull awful bad boring poor dreadful weak bland clumsy horrible tedious
better+/ADJ = better nicer
better-/ADJ = worse duller
loved+/VERB = loved adored enjoyed praised admired
loved-/VERB = hated disliked loathed despised regretted
delighted+/VERB = delighted pleased thrilled impressed
delighted-/VERB = annoyed disappointed angered upset
saved+/VERB = saved rescued redeemed
saved-/VERB = ruined spoiled wrecked
"""

# `rule = alternative | alternative`. `{slot}` is replaced by a rule or a word of a list, `{list/TAG}` by a word with
# this tag instead of that of the list, and `_` by nothing; `3*` makes an alternative three times as likely. `^` marks a
# word that later words decide: another sentence with the same words up to it has another tag there. A rule called
# `person` or `person.later` generates one entity. A rule `name+` also defines `name-`, with + and - exchanged, unless
# the table has a rule of that name.
RULES = """
opinion+ = 5* {opening} {view+} {stop} | 2* {opening} {clause} , {verdict+} . | {opening} {clause} , {joint} {view+} .
report = 8* {opening} {fact} . | {opening} {clause} , {joint} {clause} . | {opening} {even+} . | {opening} {even-} .
stop = 3* . | !
joint = and | but
opening = 10* _ | {lately} , | on {weekday} | in {location} | {when/ADP}^ the {event} ,
    | {when/SCONJ}^ the {event} ended/VERB , | according/VERB to/ADP {organization} ,
time = 4* _ | on {weekday} | last/ADJ {period} | in {month} | {quick}
aside = 8* _ | , of/ADP course/NOUN , | , as everyone knows/VERB , | , by the way/NOUN ,

person = {given} | 2* {given} {surname}
person.bare = {anyname}^
person.later = 2* {anyname}^ | {anyname}^ {surname}
person.titled = 2* {surname} | {anyname}
location = {place}
location.bare = {anyname}^
location.later = {anyname}^ | {anyname}^ {landform}
location.left = {anyname}
somewhere = 3* {location} | {location.left}
organization = 4* {firm} | University/PROPN of {place}
organization.bare = {anyname}^
organization.later = {anyname}^ | {anyname}^ {firmkind}
product = 2* {brand} {model} | {brand}
product.later = {anyname}^ {model}

fact = 8* {clause} | 4* {starter} | {clause} {when/ADP}^ the {event} | {clause} {when/SCONJ}^ the {event} ended/VERB
starter = 2* {nounverb/VERB}^ the {object} {time} | 2* {nounverb}^ {measure} {rose} {time}
    | {haul/VERB}^ {goods} to/ADP {location} {time} | {haul}^ {goods} {rose} in {month}
    | do n't {nounverb/VERB} the {object} {time}
clause = 5* {named} | 4* {tricky} | 3* {plain}

named = 4* {person.later} {aside} {did.person} | 4* {location.later} {aside} {is.location}
    | 4* {organization.later} {aside} {did.organization} | 2* {product.later} {aside} {does.product}
    | {person.bare} 's/PART^ {relative} {acted} | {person.bare} 's/AUX^ {leaving} {time}
    | 2* {location.bare} 's/PART^ {landmark} was {done} | 2* {organization.bare} 's/PART^ {asset} was {done}
    | {person.bare} , who {acted} , {did.person} | {location.bare} , which is {scenic} , {is.location}
    | {organization.bare} , which makes/VERB {goods} , {did.organization}
    | 2* {asker} {asked} about {person.bare} , the {role} | {asker} {asked} about {location.bare} , the {region}
    | 2* {asker} {asked} about {organization.bare} , the {business}
asker = the {worker} | {person}
did.person = 4* {acted} {time} | 3* said/VERB {saying} | married/VERB {person} {time} | 2* wrote/VERB a {text}
    | was born/VERB in {somewhere} | grew/VERB up/ADP in {somewhere}
saying = 2* that/SCONJ^ {claim} | that/PRON^ was a {guess} | that/DET^ {object} was {done}
claim = {organization} {did.organization} | the {worker} {acted} | {person} {acted} | {location} {is.location}
is.location = 2* is a {region} | is a {scenic} {region} in {location} | lies/VERB {direction} of {location}
    | borders/VERB {location} | 2* has/VERB {number} {facility}
did.organization = reported/VERB record/NOUN profits/NOUN {time} | 2* hired/VERB {number} {staff}
    | cut/VERB {number} jobs/NOUN {time} | opened/VERB an office/NOUN in {somewhere} | launched/VERB {product}
    | sued/VERB {organization} | bought/VERB {organization} {time} | appointed/VERB {person} {time}
does.product = costs/VERB {number} dollars/NOUN | comes/VERB with {number} {accessory} | runs/VERB on batteries/NOUN
    | weighs/VERB {number} grams/NOUN

tricky = {person} had/AUX^ {participle} {time} | {person} had/VERB^ a {object}
    | {person} did/AUX^ n't {handle} the {object} | {person} did/VERB^ the {chore} {time}
    | {person} 's/AUX^ {leaving} {time} | {person} 's/PART^ {relative} {acted}
    | {person} {returned} to/ADP^ {somewhere} {time} | {person} {returned} to/PART^ {handle} the {object}
    | {this/PRON}^ was a {guess} | {this/DET}^ {object} was {done} {time}
    | there/PRON^ was a {object} in {somewhere} | there/ADV^ {person} {met} {person}
    | the {side}^ of the {building} was {done} | the {side/ADJ}^ {door} was {done} {time}
    | 2* {crowd} like/ADP^ {person} {acted} {time}
plain = {person} {visited} {somewhere} {time} | {organization} {did.organization} | {location} {is.location}
    | {product} {does.product} | the {worker} {done} the {object} {time} | {organization} {sold} {person} {product}
    | the {worker} {sold} {person} {product} {time} | 2* {title} {person.titled} {did.person} | {person} {did.person}
    | {person} and {person} {met} {person} in {somewhere} | {person} moved/VERB from {somewhere} to/ADP {somewhere}
    | the {worker} in {somewhere} {met} {person} {time}

view+ = 4* {thing} was {good+} | 2* {thing} was {degree} {good+} | {thing} could not have been {better+} | {fond+}
    | 2* {thing} was not {good-} | {thing} was n't {good-} | 2* nothing about {other} was {good-}
    | 2* {person} {loved+} {other} | everyone {loved+} {other} | nobody {loved-} {other}
    | 3* {thing} was {good-} until/SCONJ the {scene} {saved+} it | 2* {thing} was not only {good+} but also {good+}
    | 3* {thing} was {good-} at first , {good+} by the end/NOUN | {crowd} like/ADP^ {person} {loved+} {other}
    | 2* {thing} was {good-} , but {other} was {good+} | 2* although {other} was {good-} , {other} was {good+}
    | 2* {thing} was {good+} although {other} was {good-}
    | {person} said/VERB that/SCONJ^ {other} was {good+} | {person} said/VERB that/DET^ {work} was {good+}
fond+ = {crowd} like/VERB^ {person} | {crowd} like/VERB^ {person} a lot/NOUN
fond- = {crowd} like/ADP^ {person} {loved-} {other}
even+ = {thing} was neither {good+} nor {good-} | {thing} was {good+} in parts/NOUN and {good-} in others/NOUN
    | nobody knows/VERB whether {other} was {good+} | some {crowd} {loved+} {other} and others/NOUN {loved-} it
thing = 3* the {work} | the {work} in {somewhere} | the new/ADJ {work} by {person} | the {product}
    | {person} 's/PART^ {work} | {organization} 's/PART {work}
other = 3* the {work} | the {work} in {somewhere} | her {work} | {organization} 's/PART {work} | the {product}
verdict+ = which {delighted+} {crowd} | and {crowd} {loved+} it
"""


def generate(sentences: int, *, seed: int, split: Split) -> Iterator[Sentence]:
    """Yield sentences with the layers `ner`, `upos` and `sentiment`; equal arguments give equal sentences anywhere.

    A text belongs to one split, whatever the seed, so the splits never share a sentence. Within a split a short
    sentence may occur twice. `meta["later"]`, if present, has the indices, separated by spaces, of the tokens whose
    `ner` or `upos` tag later words decide.

    Args:
        sentences: Number of sentences.
        seed: Selects the stream of a split; a longer stream begins with the sentences of a shorter one.
        split: `train` has eight tenths of all texts, `dev` and `test` one tenth each, so theirs take longer to find.

    Raises:
        ValueError: `sentences` is negative, or `split` is unknown.
    """
    if sentences < 0:
        raise ValueError(f"sentences must be 0 or more, got {sentences}")
    if split not in get_args(Split):
        raise ValueError(f"split must be one of {', '.join(get_args(Split))}, got {split!r}")
    return _stream(sentences, Random(f"{seed} {split}").random, split)


class Phrase(NamedTuple):
    """Words with their tags; `later` is true if later words decide a tag of the first."""

    text: str
    upos: tuple[str, ...]
    ner: tuple[str, ...]
    later: bool


Words: TypeAlias = tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Alternatives, each a sequence of word choices and other rules."""

    alternatives: list[tuple["Rule | Words", ...]]


def _stream(sentences: int, random: Callable[[], float], split: Split) -> Iterator[Sentence]:
    starts = _starts()
    while sentences:
        label, rule = starts[int(random() * len(starts))]
        phrases: list[Phrase] = []
        _expand(rule, random, phrases)
        text = " ".join([phrase.text for phrase in phrases])
        text = text[0].upper() + text[1:]
        if text.count(" ") < MAX_TOKENS and SPLITS[crc32(text.encode()) % len(SPLITS)] == split:
            sentences -= 1
            yield _sentence(text, phrases, label)


def _expand(rule: Rule, random: Callable[[], float], phrases: list[Phrase]) -> None:
    """Add one expansion of a rule to `phrases`.

    Only `random()` is used: it is the one method of `Random` whose results are the same in every version of Python.
    """
    alternatives = rule.alternatives
    for part in alternatives[int(random() * len(alternatives))]:
        if isinstance(part, Rule):
            _expand(part, random, phrases)
        else:
            phrases.append(part[int(random() * len(part))] if len(part) > 1 else part[0])


def _sentence(text: str, phrases: list[Phrase], label: Label) -> Sentence:
    """Return the sentence made of these phrases."""
    upos: list[str] = []
    ner: list[str] = []
    later: list[str] = []
    for phrase in phrases:
        if phrase.later:
            later.append(str(len(upos)))
        upos += phrase.upos
        ner += phrase.ner
    layers: Mapping[str, TagLayer | Label]
    layers = {"ner": TagLayer(tuple(ner), "iob2", "iob2"), "upos": TagLayer(tuple(upos)), "sentiment": label}
    return Sentence.from_tokens(text.split(" "), layers, meta={"later": " ".join(later)} if later else None)


@cache
def _starts() -> list[tuple[Label, Rule]]:
    """Return each label with its start rule, repeated according to its weight."""
    grammar = _Grammar()
    return [(Label(label), grammar.rule(name)) for label, (name, weight) in STARTS.items() for _ in range(weight)]


class _Grammar:
    """The parsed tables; a rule is built when it is first requested."""

    def __init__(self) -> None:
        self.common = {word: tag for tag, words in COMMON.items() for word in words.split()}
        self.words: dict[str, tuple[str, list[str]]] = {}
        for entry, words in _entries(WORDS):
            name, tag = entry.split("/")
            self.words[name] = tag, words.split()
        written = dict(_entries(RULES))
        self.texts = {_mirrored(name): _mirrored(text) for name, text in written.items()} | written
        self.built: dict[str, Rule] = {}

    def rule(self, name: str) -> Rule:
        """Return a rule with all rules and words in it."""
        if name not in self.built:
            first_word = name.split(".")[0]
            entity_type = first_word if first_word in ENTITY_TYPES else None
            texts = self.texts[name].split("|")
            self.built[name] = Rule([parts for text in texts for parts in self._alternative(text, entity_type)])
        return self.built[name]

    def _alternative(self, text: str, entity_type: str | None) -> list[tuple[Rule | Words, ...]]:
        """Return the parts of an alternative, repeated according to its weight."""
        items = text.split()
        weight = int(items.pop(0).removesuffix("*")) if items[0].endswith("*") else 1
        tags = [f"{'I' if i else 'B'}-{entity_type}" if entity_type else "O" for i in range(len(items))]
        return [tuple(self._part(item, tag) for item, tag in zip(items, tags, strict=True) if item != "_")] * weight

    def _part(self, item: str, ner: str) -> Rule | Words:
        """Return the meaning of an item: a rule, the words of a list, or one word."""
        name, _, tag = item.rstrip("^").strip("{}").partition("/")
        if item[0] == "{" and name in self.texts:
            return self.rule(name)
        if item[0] == "{":
            usual, words = self.words[name]
            return tuple(_phrase(word, tag or usual, ner, later=item[-1] == "^") for word in words)
        return (_phrase(name, tag or self.common[name], ner, later=item[-1] == "^"),)


def _phrase(word: str, upos: str, ner: str, *, later: bool) -> Phrase:
    tokens = word.split("_")
    inside = ner.replace("B-", "I-")
    return Phrase(" ".join(tokens), (upos,) * len(tokens), (ner, *[inside] * (len(tokens) - 1)), later)


def _entries(table: str) -> list[tuple[str, str]]:
    """Return name and text of each entry; an indented line continues the entry above it."""
    entries = [entry.partition(" = ") for entry in re.split(r"\n(?=\S)", table.strip())]
    return [(name, text) for name, _, text in entries]


def _mirrored(text: str) -> str:
    """Return a text with + and - exchanged."""
    return text.translate(str.maketrans("+-", "-+"))
