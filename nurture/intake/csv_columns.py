"""What is this column? Headers as systems and people write them, in several languages."""

import re
import unicodedata

#: field -> headers, compared without case, accents and punctuation.
_HEADERS = {
    "email": "email; e mail; email address; e mail address; emails; candidate email; primary email;"
    " personal email; e mail adresse; mail; mailadresse; adresse e mail; adresse mail; courriel;"
    " correo; correo electronico; e mailadres; endereco de email; endereco de e mail;"
    " indirizzo email; epost; e post; adres e mail; email candidato",
    "candidate_id": "candidate id; candidate ref; person id; applicant id; applicant reference;"
    " external id; kandidaten id; bewerber id; id candidat; id candidato",
    "full_name": "name; full name; fullname; candidate; candidate name; applicant; applicant name;"
    " kandidat; bewerber; nom complet; nombre completo; nome completo; volledige naam",
    "first_name": "first name; firstname; given name; forename; vorname; prenom; nombre; nome;"
    " primeiro nome; voornaam; imie; fornamn",
    "last_name": "last name; lastname; surname; family name; nachname; familienname; nom;"
    " nom de famille; apellido; apellidos; sobrenome; apelido; cognome; achternaam; nazwisko;"
    " efternamn",
    "phone": "phone; phones; phone number; phone numbers; mobile; mobile phone; telephone; cell;"
    " telefon; telefonnummer; handy; mobil; portable; telefono; telefone; telemovel; celular;"
    " telefoon; movil",
    "timezone": "timezone; time zone; tz; zeitzone; fuseau horaire; zona horaria; fuso horario",
    "country": "country; country code; land; pays; pais; paese; kraj",
    "subdivision": "state code; subdivision",
    "locale": "language; locale; preferred language; sprache; langue; idioma; lingua; taal; jezyk",
    "pronouns": "pronouns; pronomen; pronoms; pronombres",
    "tags": "tags; labels; schlagworte; etiquettes; etiquetas",
    "skills": "skills; fahigkeiten; kenntnisse; competences; habilidades; competencias",
    "do_not_contact": "do not contact; dnc; no contact; nicht kontaktieren; ne pas contacter;"
    " no contactar; nao contactar",
    "can_email": "can email; email allowed; mailable",
    "unsubscribed": "unsubscribed; opted out; opt out; email opt out; abgemeldet; desabonne",
    "consent_until": "consent until; consent expires; consent expiry; gdpr consent until;"
    " einwilligung bis; consentement jusqu au; consentimiento hasta; consentimento ate",
    "application_id": "application id; application ref; bewerbungs id; id candidature",
    "job": "job; jobs; job title; job name; applied for; position; vacancy; requisition; role;"
    " stelle; poste; offre; puesto; vacante; vaga; cargo; vacature; stanowisko",
    "job_id": "job id; job ref; requisition id; req id; vacancy id",
    "department": "department; abteilung; departement; departamento; afdeling",
    "stage": "stage; current stage; pipeline stage; application stage; stufe; phase;"
    " etape; etapa; fase; etap",
    "status": "status; application status; candidate status; bewerbungsstatus; statut; estado;"
    " stan",
    "stage_since": "stage last changed; stage since; last stage change; in stage since",
    "applied_at": "applied at; applied on; applied; date applied; application date; added on;"
    " created at; created; created on; angelegt am; bewerbungsdatum; eingegangen am;"
    " date de candidature; fecha de solicitud; data da candidatura; sollicitatiedatum",
    "start_date": "start date; startdatum; date de debut; fecha de inicio; data de inicio",
    "rejection_reason": "rejection reason; reason for rejection; rejected reason; archive reason;"
    " disqualification reason; disqualify reason; absagegrund; ablehnungsgrund; motif de refus;"
    " motif du refus; motivo de rechazo; motivo da recusa",
    "source": "source; sources; origin; quelle; origine; fuente; origem; bron",
    "recruiter": "recruiter; recruiter email; owner; owner email; recruteur; reclutador;"
    " recrutador",
}

LISTS = frozenset({"tags", "skills"})  # cells with several values
_SEPARATORS = re.compile(r"\s*[,;|\n]\s*")


def field_of(header: str) -> str | None:
    """The field this header means; None if it is none of ours."""
    return _FIELDS.get(plain(header)) or _FIELDS.get(plain(_apart(header)))


def own_name(header: str, number: int) -> str:
    """The name under which an unknown column is kept, as conditions and templates can write it."""
    name = "_".join(plain(header).split()) or f"column_{number}"
    taken = name[0].isdigit() or name in ("id", "answers", "stage_raw", *_HEADERS)
    return f"csv_{name}" if taken else name


def plain(text: str) -> str:
    """Without case, accents and punctuation, words apart by one space."""
    bare = unicodedata.normalize("NFKD", text)
    bare = "".join(char for char in bare.casefold() if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", bare))


def _apart(header: str) -> str:
    """`firstName` is two words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)


def several(cell: str) -> list[str]:
    """The values of a cell that may hold several, in order, each once."""
    return list(dict.fromkeys(part for part in _SEPARATORS.split(cell.strip()) if part))


def names_of(full: str) -> tuple[str, str | None]:
    """First and last name of `Aoife O'Neil` and of `O'Neil, Aoife`."""
    if "," in full:
        last, first = (part.strip() for part in full.split(",")[:2])
        if first and last:
            return first, last
    first, _, last = " ".join(full.replace(",", " ").split()).partition(" ")
    return first, last or None


_FIELDS = {
    plain(header): field
    for field, headers in _HEADERS.items()
    for header in (*headers.split(";"), field)
}
FIELDS = frozenset(_HEADERS)
