"""What does the engine itself say in a mail? The footer's few sentences and the name of a calendar
entry, in each language.

A language that is not here reads English ones; dates follow the reader's language all the same.
What `de-informal` does not say otherwise is as in `de`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from nurture.core.model import MessageClass
from nurture.rendering.languages import INFORMAL, is_informal, language

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "zone": "{city} time",
        "why_job": "You are receiving this because of your application for {job} at {company}.",
        "why_service": "You are receiving this because of your application to {company}.",
        "why_nurture": "You are receiving this because you are in touch with {company} about "
        "working there.",
        "why_privacy": "You are receiving this because {company} keeps your details as a "
        "candidate.",
        "unsubscribe": "Unsubscribe",
        "preferences": "Choose what you receive",
        "also": "Also in this mail",
        "interview": "Interview",
        "appointment": "Appointment",
    },
    "de": {
        "zone": "Ortszeit {city}",
        "why_job": "Sie erhalten diese Nachricht wegen Ihrer Bewerbung als {job} bei {company}.",
        "why_service": "Sie erhalten diese Nachricht wegen Ihrer Bewerbung bei {company}.",
        "why_nurture": "Sie erhalten diese Nachricht, weil Sie mit {company} über eine mögliche "
        "Mitarbeit in Kontakt stehen.",
        "why_privacy": "Sie erhalten diese Nachricht, weil {company} Ihre Bewerbungsdaten "
        "speichert.",
        "unsubscribe": "Abmelden",
        "preferences": "Auswählen, was Sie erhalten",
        "also": "Außerdem in dieser Nachricht",
        "interview": "Gespräch",
        "appointment": "Termin",
    },
    "de-informal": {
        "why_job": "Du erhältst diese Nachricht wegen deiner Bewerbung als {job} bei {company}.",
        "why_service": "Du erhältst diese Nachricht wegen deiner Bewerbung bei {company}.",
        "why_nurture": "Du erhältst diese Nachricht, weil du mit {company} über eine mögliche "
        "Mitarbeit in Kontakt stehst.",
        "why_privacy": "Du erhältst diese Nachricht, weil {company} deine Bewerbungsdaten "
        "speichert.",
        "preferences": "Auswählen, was du erhältst",
    },
    "fr": {
        "zone": "heure de {city}",
        "why_job": "Vous recevez ce message au sujet de votre candidature au poste de {job} chez "
        "{company}.",
        "why_service": "Vous recevez ce message au sujet de votre candidature chez {company}.",
        "why_nurture": "Vous recevez ce message parce que vous êtes en contact avec {company} au "
        "sujet d’un emploi.",
        "why_privacy": "Vous recevez ce message parce que {company} conserve vos données de "
        "candidature.",
        "unsubscribe": "Se désabonner",
        "preferences": "Choisir ce que vous recevez",
        "also": "Également dans ce message",
        "interview": "Entretien",
        "appointment": "Rendez-vous",
    },
    "fr-informal": {
        "why_job": "Tu reçois ce message au sujet de ta candidature au poste de {job} chez "
        "{company}.",
        "why_service": "Tu reçois ce message au sujet de ta candidature chez {company}.",
        "why_nurture": "Tu reçois ce message parce que tu es en contact avec {company} au sujet "
        "d’un emploi.",
        "why_privacy": "Tu reçois ce message parce que {company} conserve tes données de "
        "candidature.",
        "preferences": "Choisir ce que tu reçois",
    },
    "es": {
        "zone": "hora de {city}",
        "why_job": "Recibe este mensaje por su candidatura al puesto de {job} en {company}.",
        "why_service": "Recibe este mensaje por su candidatura a {company}.",
        "why_nurture": "Recibe este mensaje porque está en contacto con {company} sobre la "
        "posibilidad de trabajar allí.",
        "why_privacy": "Recibe este mensaje porque {company} conserva sus datos de candidatura.",
        "unsubscribe": "Darse de baja",
        "preferences": "Elegir qué recibe",
        "also": "También en este mensaje",
        "interview": "Entrevista",
        "appointment": "Cita",
    },
    "pt": {
        "zone": "hora de {city}",
        "why_job": "Recebe esta mensagem devido à sua candidatura a {job} na {company}.",
        "why_service": "Recebe esta mensagem devido à sua candidatura à {company}.",
        "why_nurture": "Recebe esta mensagem porque está em contacto com a {company} sobre a "
        "possibilidade de lá trabalhar.",
        "why_privacy": "Recebe esta mensagem porque a {company} guarda os seus dados de "
        "candidatura.",
        "unsubscribe": "Cancelar a subscrição",
        "preferences": "Escolher o que recebe",
        "also": "Também nesta mensagem",
        "interview": "Entrevista",
        "appointment": "Compromisso",
    },
}


@lru_cache(maxsize=256)
def words_for(tag: str) -> Mapping[str, str]:
    """The footer's words, as `in_address` finds them."""
    return in_address(_WORDS, tag)


def in_address(words: Mapping[str, Mapping[str, str]], tag: str) -> Mapping[str, str]:
    """Those of this language and this address; English ones for a language that is not there."""
    short = language(tag)
    formal = words.get(short, words["en"])
    return {**formal, **words.get(f"{short}-{INFORMAL}", {})} if is_informal(tag) else formal


def zone_words(tag: str) -> str:
    """How a zone is named by its `{city}`; a language that is not here says the city alone."""
    own = _WORDS.get(language(tag))
    return own["zone"] if own else "{city}"


def why(klass: MessageClass, context: Mapping[str, Any], locale: str) -> str:
    """One sentence that says why this person gets this mail, true whatever is known of them. Mail
    to our own people brings its own."""
    if "why" in context:
        return str(context["why"])
    words = words_for(locale)
    company = context["company"]["name"]
    if klass is not MessageClass.SERVICE:
        return words[f"why_{klass}"].format(company=company)
    title = context.get("job", {}).get("title")
    if title:
        return words["why_job"].format(job=title, company=company)
    return words["why_service"].format(company=company)
