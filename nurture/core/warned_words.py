"""Which words have no place in a reason that somebody is given?

A reason speaks of the job. What speaks of a person's age, family, health or way of talking, or says
nothing that can be checked, hurts them and is a risk to us.
"""

import re
from collections.abc import Mapping

#: language -> patterns of whole words.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": (
        *("age", "aged", "too old", "too young", "young", "youthful", "elderly", "mature"),
        *("family", "families", "children", "kids", "pregnan\\w+", "maternity", "paternity"),
        *("married", "marriage", "childcare", "mother", "father", "parents?", "parental"),
        *("health", "healthy", "ill", "illness", "sick", "sickness", "disab\\w+", "disease"),
        *("accent", "native speakers?", "mother tongue"),
        *("gender", "ethnic\\w*", "racial", "religio\\w+", "nationality", "appearance", "looks"),
        *(
            "over-?qualified",
            "over qualified",
            "cultur\\w+ fit",
            "fit (?:our|the|with our) culture",
        ),
        *("team fit", "personality", "likeable", "energy"),
    ),
    "de": (
        *("Alters?", "zu alt", "zu jung", "jung", "jünger\\w*", "älter\\w*"),
        *("Familien?", "familiär\\w*", "Kinder\\w*", "schwanger\\w*", "Elternzeit", "verheiratet"),
        *("Mutter", "Vater", "gesundheit\\w*", "krank\\w*", "Krankheit\\w*", "behinder\\w*"),
        *("Akzent\\w*", "Muttersprach\\w*", "Geschlecht\\w*", "Herkunft", "Religion", "Aussehen"),
        *("über-?qualifiziert\\w*", "Überqualifi\\w+", "kulturell\\w*", "Kultur-?Fit", "Chemie"),
    ),
    "fr": (
        *("âge", "âgée?s?", "trop jeune", "jeunes?", "trop vieux", "trop vieille"),
        *("famil\\w+", "enfants?", "enceinte", "grossesse", "maternité", "paternité", "mariée?"),
        *("santé", "malad\\w+", "handicap\\w*", "accent", "langue maternelle"),
        *("genre", "sexe", "origine", "religi\\w+", "nationalité", "apparence", "physique"),
        *("surqualifi\\w+", "sur-qualifi\\w+", "culturel\\w*", "personnalité"),
    ),
}
_FOUND = {
    language: re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)
    for language, words in _WORDS.items()
}
LANGUAGES = tuple(_WORDS)


def warned_word(text: str, languages: tuple[str, ...] = LANGUAGES) -> str | None:
    """The first such word, as it stands there; None where there is none. In languages without a
    list of their own the English one is looked for."""
    known = [each for each in languages if each in _FOUND] or ["en"]
    found = [hit for each in known if (hit := _FOUND[each].search(text)) is not None]
    return min(found, key=lambda hit: hit.start())[0] if found else None
