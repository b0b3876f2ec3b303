"""Which of our kinds of interview does a source mean by its own word?

Only words that mean one thing are mapped: an unknown word is no kind. The interview is prepared
for all the same, in general words, and somebody hears that there was a word nobody knows.
"""

import re

KINDS = ("phone", "video", "technical", "panel", "case", "onsite", "final")

_WORDS = {
    "phone": "phone; phone screen; phone call; call; telephone; telephone screen; recruiter screen;"
    " recruiter phone screen",
    "video": "video; video call; video meeting; online; remote; virtual",
    "technical": "technical; technical screen; tech; tech screen; coding; live coding;"
    " pair programming; system design",
    "panel": "panel",
    "case": "case; case study; case presentation",
    "onsite": "onsite; on site; in person; face to face; site visit",
    "final": "final; final round; executive",
}


def normalise(name: str) -> str | None:
    """The kind that this name means, whatever its case and punctuation, and with or without
    "interview" behind it; else None."""
    word = _plain(name)
    return _MEANINGS.get(word) or _MEANINGS.get(word.removesuffix("interview"))


def _plain(name: str) -> str:
    return "".join(re.findall(r"[^\W_]+", name.casefold()))


_MEANINGS = {_plain(word): kind for kind, words in _WORDS.items() for word in words.split(";")}
