"""Which of our stages does a source mean by its own word?

Sources name stages freely, and differently from job to job. Only words that mean one thing are
mapped: an unknown word is no stage, so that nobody is written to by a guess.
"""

import re
import unicodedata

STAGES = (
    *("lead", "applied", "screening", "assessment", "interviewing", "final", "decision", "offer"),
    *("hired", "rejected", "withdrawn", "on_hold"),
)
#: Stages in which an application is at its end: the status that goes with them.
ENDS = {"hired": "hired", "rejected": "rejected", "withdrawn": "withdrawn"}

_WORDS = {
    "lead": "lead; new lead; reached out; sourced; prospect; talent pool; kontaktiert",
    "applied": "applied; new; application review; new applicant; inbox; application received;"
    " beworben; bewerbung eingegangen; candidature recue; postule; solicitud recibida; inscrito;"
    " candidatura recebida; sollicitatie ontvangen",
    "screening": "screen; screening; phone screen; preliminary phone screen; recruiter screen;"
    " recruiter phone screen; initial screening; reviewing; in review; submitted; telefoninterview;"
    " telefonscreening; preselection; preselection telephonique; preseleccion; triagem;"
    " voorselectie",
    "assessment": "assessment; take home; take home test; test; coding test; coding challenge;"
    " case; case study; video interview async; one way video interview; testaufgabe;"
    " prueba tecnica",
    "interviewing": "interviewing; interview; technical interview; panel; panel interview; on site;"
    " onsite; on site interview; onsite interview; first interview; second interview;"
    " third interview; 1st interview; 2nd interview; 3rd interview; hiring manager;"
    " hiring manager interview; face to face; video interview; team interview;"
    " vorstellungsgesprach; entretien; entrevista; gesprek; colloquio",
    "final": "final; final round; final interview; executive; executive interview; reference check;"
    " references; background check; endrunde; entretien final; entrevista final",
    "decision": "decision; debrief; waiting on feedback; waitingonfeedback; awaiting feedback;"
    " entscheidung",
    "offer": "offer; offered; offer out; offer sent; offer extended; verbal; verbal offer; angebot;"
    " offre; oferta; proposta; aanbod",
    "hired": "hired; accepted; placed; onboarding; offer accepted; eingestellt; embauche;"
    " contratado; contratada; aangenomen",
    "rejected": "rejected; disqualified; not a fit; declined by company; absage; abgelehnt; refuse;"
    " rechazado; rechazada; rejeitado; afgewezen",
    "withdrawn": "withdrawn; withdrew; opted out; candidate withdrew; zuruckgezogen; retire;"
    " retirado; teruggetrokken",
    "on_hold": "on hold; onhold; snoozed; job paused; paused; en attente; en espera; pausiert",
}


def normalise(name: str) -> str | None:
    """The stage that this name means, whatever its case, accents and punctuation; else None."""
    word = _plain(name)
    return _MEANINGS.get(word) or _MEANINGS.get(re.sub(r" ?\d+$", "", word))


def _plain(name: str) -> str:
    bare = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(char for char in bare if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", bare))


_MEANINGS = {
    _plain(word): stage for stage, words in _WORDS.items() for word in (*words.split(";"), stage)
}
