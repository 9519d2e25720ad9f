"""What is true of every resident of a block in one element, now and before the last change: whoever looked earlier saw the older value."""

from dataclasses import dataclass

import numpy as np

from district.texts import NEVER, Numbers, Texts, chain, pick

ALWAYS = NEVER


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Positions in `vocabulary` (−1: nothing) for each resident: `now`, and `before` the day `changed`; ALWAYS where nothing changed."""

    vocabulary: Texts
    now: Numbers
    before: Numbers
    changed: Numbers

    def codes(self, residents: Numbers, days: Numbers) -> Numbers:
        return np.where(days < self.changed[residents], self.before[residents], self.now[residents])

    def seen(self, residents: Numbers, days: Numbers) -> Texts:
        return pick(self.vocabulary, self.codes(residents, days))

    def truth(self) -> Texts:
        return pick(self.vocabulary, self.now)


def steady(texts: Texts) -> Timeline:
    """A value of his own for each resident that never changes."""
    rows = np.arange(len(texts))
    return Timeline(vocabulary=texts, now=rows, before=rows, changed=np.full(len(texts), ALWAYS))


def renewed(now: Texts, before: Texts, changed: Numbers) -> Timeline:
    rows = np.arange(len(now))
    return Timeline(vocabulary=chain([now, before]), now=rows, before=rows + len(now), changed=changed)


def coded(vocabulary: Texts, now: Numbers, before: Numbers | None = None, changed: Numbers | None = None) -> Timeline:
    if before is None or changed is None:
        return Timeline(vocabulary=vocabulary, now=now, before=now, changed=np.full(len(now), ALWAYS))
    return Timeline(vocabulary=vocabulary, now=now, before=before, changed=changed)
