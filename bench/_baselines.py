"""Two published ways to cluster a stream of posts, run on the same posts: what detection must beat.

*First-story detection* (Petrović, Osborne, Lavrenko 2010) as in twembeddings (Mazoyer, Hervé, Hudelot, Cagé,
"French Tweet Corpus for Automatic Stream Analysis", LREC 2020): a post joins the cluster of the nearest post
before it in tf-idf when that is nearer than cosine distance .7, else it opens one. The weights are those of
the whole recording, and a word leads to its latest `_POSTINGS` posts only. *TextClust* is River's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["first_stories", "has_river", "text_clusters"]

_FAR = 0.7
"""Cosine distance from which a post tells a new story."""
_POSTINGS = 500
_WORD = re.compile(r"\w\w+")
_NO_WORDS = re.compile(r"https?://\S+|@\w+|\brt\b")


def words(text: str) -> list[str]:
    """Lower-case words of two letters or more; links, mentions and `RT` say nothing.

    >>> words("RT @bob: Flood in #Porto https://t.co/x")
    ['flood', 'in', 'porto']
    """
    return _WORD.findall(_NO_WORDS.sub(" ", text.lower()))


def first_stories(texts: Sequence[str]) -> list[str]:
    """The story of each of the posts, in stream-time order; empty where a text has no words."""
    documents = [sorted(Counter(words(text)).items()) for text in texts]
    frequency = Counter(word for document in documents for word, _ in document)
    numbers = {word: number for number, word in enumerate(frequency)}
    rarity = np.log(len(texts) / np.array([*frequency.values(), 1.0])) + 1.0
    offsets = np.cumsum([0, *map(len, documents)])
    terms = np.fromiter((numbers[word] for document in documents for word, _ in document), np.int64)
    uses = np.fromiter((count for document in documents for _, count in document), np.float64)
    weights = uses * rarity[terms]
    owners = np.repeat(np.arange(len(texts)), np.diff(offsets))
    lengths = np.sqrt(np.bincount(owners, weights**2, minlength=len(texts)))
    story = _first_stories(offsets, terms, weights / lengths[owners], len(numbers), _POSTINGS, 1.0 - _FAR)
    return [str(number) if number >= 0 else "" for number in story.tolist()]


@njit(cache=True, nogil=True)
def _first_stories(
    offsets: Any, terms: Any, weights: Any, vocabulary: int, postings: int, nearest: float
) -> npt.NDArray[np.int64]:
    size = offsets.shape[0] - 1
    story = np.full(size, -1, np.int64)
    heads = np.full(vocabulary, -1, np.int64)
    before = np.full(terms.shape[0], -1, np.int64)
    owner = np.empty(terms.shape[0], np.int64)
    score = np.zeros(size)
    seen = np.empty(size, np.int64)
    for post in range(size):
        found = 0
        for at in range(offsets[post], offsets[post + 1]):
            other = heads[terms[at]]
            for _ in range(postings):
                if other < 0:
                    break
                if score[owner[other]] == 0.0:
                    seen[found] = owner[other]
                    found += 1
                score[owner[other]] += weights[at] * weights[other]
                other = before[other]
        best = -1
        for i in range(found):
            if score[seen[i]] > nearest and (best < 0 or score[seen[i]] > score[best]):
                best = seen[i]
        if offsets[post + 1] > offsets[post]:
            story[post] = story[best] if best >= 0 else post
        for i in range(found):
            score[seen[i]] = 0.0
        for at in range(offsets[post], offsets[post + 1]):
            owner[at] = post
            before[at] = heads[terms[at]]
            heads[terms[at]] = at
    return story


def has_river() -> bool:
    """Whether River is installed: `pip install 'groundswell[peers]'`."""
    return find_spec("river") is not None


def text_clusters(texts: Sequence[str]) -> list[str]:
    """The micro-cluster in which TextClust puts each post, in stream-time order; empty where none.

    Words as above, distance .7 like first-story detection, all else as River has it; it fades by posts. Of
    clusters that it merged later, posts count for the one that remained.
    """
    from river.cluster import TextClust

    model = TextClust(radius=_FAR, real_time_fading=False)
    found: list[int | None] = []
    heirs: dict[int, int] = {}
    for text in texts:
        bag = Counter(words(text))
        model.learn_one(bag)
        found.append(model.predict_one(bag))
        for number, cluster in model.micro_clusters.items():
            while cluster.merged_ids:
                heirs[cluster.merged_ids.pop()] = number
    return ["" if number is None else str(_heir(heirs, number)) for number in found]


def _heir(heirs: dict[int, int], number: int) -> int:
    while number in heirs:
        number = heirs[number]
    return number
