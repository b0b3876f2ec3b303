"""What does a step promise, by when, and what will keep it?"""

from nurture.authoring.campaign_keys import PromiseKeys
from nurture.authoring.campaign_values import Values
from nurture.core.model import Promised
from nurture.core.promised import BY_CONTACT
from nurture.positions import Place, did_you_mean


def read_promise(path: Place, keys: PromiseKeys | None, values: Values) -> Promised | None:
    """The promise of a step; what could not be kept, or would be kept by nothing, is told to
    `values`."""
    if keys is None:
        return None
    within = values.duration((*path, "within"), keys.within)
    if within is not None and (not within.amount or within.unit in ("minutes", "hours")):
        message = "a promise is for a day to come: its date is printed, and somebody owes it"
        values.problem((*path, "within"), "promise", message, "write 1 business day or more")
    if keys.what is None and not values.of_promise:
        message = f"says not what is promised, and {values.scope.trigger} is about no promise"
        values.problem(path, "promise", message, "write what:, such as `a decision`")
    for number, kind in enumerate(keys.kept_by):
        _keeps((*path, "kept_by", number), kind, values)
    if within is None:
        return None
    return Promised(what=keys.what, within=within, kept_by=tuple(keys.kept_by))


def _keeps(place: Place, kind: str, values: Values) -> None:
    """What keeps a promise is there, and is no note that says there is no news."""
    around = values.around
    category = around.config.categories.get(kind)
    if category is not None and category.holding:
        message = f'"{kind}" says that there is no news: it keeps no promise'
        values.problem(place, "promise", message)
    if category is None and kind != BY_CONTACT and kind not in around.by_name:
        known = (*around.config.categories, BY_CONTACT, *around.by_name)
        hint = did_you_mean(kind, known) or f"known: {', '.join(around.config.categories)}"
        message = f'"{kind}" is neither a category nor a template, nor `{BY_CONTACT}`'
        values.problem(place, "promise", message, hint)
