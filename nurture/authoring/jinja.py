"""What does a Jinja text name, call and ask, and where?

A text is parsed once and walked once, however many campaigns send it: what is found here holds
whatever the vocabulary is. `words` compares it with what is known.
"""

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from jinja2 import TemplateError, nodes

from nurture.authoring.expressions import Complaint
from nurture.authoring.runaway import runaway
from nurture.rendering.templates import parsed
from nurture.rendering.unreadable import unreadable

_CODE = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_SCOPES = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.With, nodes.FilterBlock, nodes.Block)


@dataclass(frozen=True)
class Named:
    """A name that the text does not define itself."""

    thing: str  #: `interview`
    attrs: tuple[str, ...]  #: `("starts_at",)`; `("starts_at", "hour")`
    offset: int
    printed: bool  #: a reader sees it; False: the text only asks about it
    of: str = ""  #: of a loop's variable, what is looped over: `interview.interviewers`

    @property
    def name(self) -> str:
        return ".".join((self.thing, *self.attrs[:1]))


@dataclass(frozen=True)
class Called:
    """`sent("prep/kit")`"""

    name: str
    arguments: int
    first: str | None  #: the first argument where it is a text
    offset: int
    first_offset: int


@dataclass(frozen=True)
class Compared:
    """`interview.kind == "video"`, also within `in (...)`"""

    thing: str
    field: str
    value: str
    offset: int  #: of the value


@dataclass(frozen=True)
class Text:
    """All that one Jinja text says to the engine."""

    named: tuple[Named, ...] = ()
    called: tuple[Called, ...] = ()
    compared: tuple[Compared, ...] = ()
    filters: tuple[tuple[str, int], ...] = ()
    tests: tuple[tuple[str, int], ...] = ()
    guarded: frozenset[str] = frozenset()  #: names that it asks about before it uses them
    complaints: tuple[Complaint, ...] = ()


@lru_cache(maxsize=8192)
def read_text(source: str) -> Text:
    """What a text names and calls; its complaints are that it cannot be read, or never ends."""
    if "{" not in source:
        return Text()
    try:
        tree = parsed(source)
    except TemplateError as error:
        slip = unreadable(source, error)
        complaint = Complaint(slip.offset, "template-syntax", slip.message, slip.hint)
        return Text(complaints=(complaint,))
    except RecursionError:
        return Text(complaints=(Complaint(0, "template-syntax", "nested too deeply"),))
    except ValueError:  # a number of thousands of digits
        return Text(complaints=(Complaint(0, "template-syntax", "cannot be read"),))
    endless = runaway(source, tree)
    text = _Walk(source).text(tree)
    if endless is None:
        return text
    line, code, message = endless
    complaint = Complaint(tag_offset(source, line), code, message)
    return replace(text, complaints=(*text.complaints, complaint))


@lru_cache(maxsize=4096)  # an edit of one file has the words of all looked at again
def literal(source: str) -> str:
    """The words that stand in the text as they are: code blanked out, each offset kept, and of
    code that prints the quoted texts left (`default("there")`)."""
    return _CODE.sub(_quoted_only, source)


def tag_offset(source: str, line: int) -> int:
    """Where the first tag on that line begins; the line's first word where it has none."""
    start = line_start(source, line)
    end = source.find("\n", start)
    text = source[start : end if end >= 0 else None]
    tags = [at for at in (text.find("{%"), text.find("{{")) if at >= 0]
    return start + (min(tags) if tags else len(text) - len(text.lstrip()))


def line_start(source: str, line: int) -> int:
    at = 0
    for _ in range(line - 1):
        at = source.find("\n", at) + 1 or at
    return at


def _quoted_only(code: re.Match[str]) -> str:
    text = code[0]
    if not text.startswith("{{"):
        return _blank(text)
    kept, end = [], 0
    for quoted in _STRING.finditer(text):
        kept.append(_blank(text[end : quoted.start()]))
        kept.append(f" {quoted[0][1:-1]} ")
        end = quoted.end()
    return "".join([*kept, _blank(text[end:])])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _code_only(source: str) -> str:
    """The reverse: everything but code blanked out, and the texts quoted in it."""
    kept, end = [], 0
    for code in _CODE.finditer(source):
        kept.append(_blank(source[end : code.start()]))
        quiet = code[0].startswith("{#")
        kept.append(_blank(code[0]) if quiet else _STRING.sub(lambda q: _blank(q[0]), code[0]))
        end = code.end()
    return "".join([*kept, _blank(source[end:])])


@dataclass
class _Walk:
    """One pass over a tree, with the names that are defined where we are."""

    source: str
    named: list[Named] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)
    filters: list[tuple[str, int]] = field(default_factory=list)
    tests: list[tuple[str, int]] = field(default_factory=list)
    guarded: set[str] = field(default_factory=set)
    complaints: list[Complaint] = field(default_factory=list)

    def text(self, tree: nodes.Template) -> Text:
        self.code = _code_only(self.source)
        self.spots: dict[tuple[int, str], int] = {}
        self.visit(tree, {}, printed=False)
        return Text(
            tuple(self.named),
            tuple(self.called),
            tuple(self.compared),
            tuple(self.filters),
            tuple(self.tests),
            frozenset(self.guarded),
            tuple(self.complaints),
        )

    def visit(  # noqa: C901, PLR0912 - a case a node
        self, node: nodes.Node, own: dict[str, str], *, printed: bool
    ) -> None:
        """`own`: the names that the text defined before, with what they loop over."""
        match node:
            case nodes.Getattr() | nodes.Getitem() | nodes.Name():
                self.name(node, own, printed=printed)
            case nodes.Output():
                for child in node.nodes:
                    self.visit(child, own, printed=True)
            case nodes.TemplateData() | nodes.Const():
                pass
            case nodes.If(test=test) | nodes.CondExpr(test=test):
                self.guard(test, own)
                self.visit(test, own, printed=False)
                for inner in node.iter_child_nodes(exclude=("test",)):
                    self.visit(inner, own, printed=printed)
            case nodes.For():
                self.loop(node, own)
            case nodes.Assign():
                self.visit(node.node, own, printed=True)
                self.define(node.target, own, _called_for(node.node))
            case nodes.AssignBlock():
                self.children(node, dict(own), printed=printed)
                self.define(node.target, own)
            case nodes.Macro() | nodes.CallBlock():
                self.macro(node, own)
            case nodes.Filter():
                self.filters.append((node.name, self.spot(node.lineno, node.name)))
                self.children(node, own, printed=printed)
            case nodes.Test():
                self.tests.append((node.name, self.spot(node.lineno, node.name)))
                if node.name in ("defined", "undefined"):
                    self.guard(node.node, own)
                self.children(node, own, printed=False)
            case nodes.Compare() | nodes.Not():
                self.children(node, own, printed=False)
                if isinstance(node, nodes.Compare) and len(node.ops) == 1:
                    self.values(node.expr, node.ops[0].expr, own)
                    self.values(node.ops[0].expr, node.expr, own)
            case nodes.Call():
                self.call(node, own, printed=printed)
            case nodes.Include() | nodes.Import() | nodes.FromImport() | nodes.Extends():
                message = "a template stands alone: it cannot include, import or extend another"
                hint = "what all mails share belongs into the layout"
                at = tag_offset(self.source, node.lineno)
                self.complaints.append(Complaint(at, "template-syntax", message, hint))
            case _:
                within = dict(own) if isinstance(node, _SCOPES) else own
                self.children(node, within, printed=printed)

    def children(self, node: nodes.Node, own: dict[str, str], *, printed: bool) -> None:
        for child in node.iter_child_nodes():
            self.visit(child, own, printed=printed)

    def name(
        self,
        node: nodes.Getattr | nodes.Getitem | nodes.Name,
        own: dict[str, str],
        *,
        printed: bool,
    ) -> None:
        chain = _chain(node)
        if chain is None:  # of a call, or by an index that is itself computed
            if isinstance(node, nodes.Getattr) and (of := _called_for(node.node)):
                at = self.spot(node.lineno, node.attr)
                self.named.append(Named(of, (node.attr,), at, printed, of))
            self.children(node, own, printed=printed)
            return
        thing, attrs, line = chain
        if thing in own:
            if own[thing] and attrs:
                at = self.spot(line, f"{thing}.{attrs[0]}")
                self.named.append(Named(thing, attrs, at, printed, own[thing]))
            return
        at = self.spot(line, ".".join((thing, *attrs[:1])))
        self.named.append(Named(thing, attrs, at, printed))

    def values(self, one: nodes.Node, other: nodes.Node, own: dict[str, str]) -> None:
        """What texts a field is compared with."""
        chain = _chain(one)
        if chain is None or chain[0] in own or len(chain[1]) != 1:
            return
        start = self.spots.get((chain[2], f"{chain[0]}.{chain[1][0]}"), 0)
        start = max(start, line_start(self.source, one.lineno))
        for item in other.items if isinstance(other, nodes.Tuple | nodes.List) else [other]:
            if isinstance(item, nodes.Const) and isinstance(item.value, str):
                quoted = re.compile(rf"[\"']{re.escape(item.value)}[\"']")
                found = quoted.search(self.source, start) or quoted.search(
                    self.source, line_start(self.source, one.lineno)
                )
                at = found.start() + 1 if found else start
                self.compared.append(Compared(chain[0], chain[1][0], item.value, at))

    def guard(self, test: nodes.Node | None, own: dict[str, str]) -> None:
        """What is asked about counts as asked, also within `and`, `or` and `not`."""
        match test:
            case nodes.And() | nodes.Or():
                self.guard(test.left, own)
                self.guard(test.right, own)
            case nodes.Not():
                self.guard(test.node, own)
            case nodes.Test() if test.name in ("defined", "undefined"):
                self.guard(test.node, own)
            case nodes.Getattr() | nodes.Name():
                chain = _chain(test)
                if chain is not None and chain[0] not in own:
                    self.guarded.add(".".join((chain[0], *chain[1][:1])))

    def loop(self, node: nodes.For, own: dict[str, str]) -> None:
        self.visit(node.iter, own, printed=False)
        chain = _chain(node.iter)
        over = ".".join((chain[0], *chain[1])) if chain and chain[0] not in own else ""
        over = over or _called_for(node.iter) or (own.get(chain[0], "") if chain else "")
        within = {**own, "loop": ""}
        self.define(node.target, within, over)
        for part in (node.test, *node.body):
            if part is not None:
                self.visit(part, within, printed=False)
        for part in node.else_:
            self.visit(part, dict(own), printed=False)

    def macro(self, node: nodes.Macro | nodes.CallBlock, own: dict[str, str]) -> None:
        if isinstance(node, nodes.Macro):
            own[node.name] = ""
        else:
            self.visit(node.call, own, printed=True)
        within = {**own, "caller": "", "varargs": "", "kwargs": ""}
        for default in node.defaults:
            self.visit(default, own, printed=False)
        for argument in node.args:
            self.define(argument, within)
        for part in node.body:
            self.visit(part, within, printed=False)

    def call(self, node: nodes.Call, own: dict[str, str], *, printed: bool) -> None:
        function = node.node.name if isinstance(node.node, nodes.Name) else ""
        if function and function not in own:
            at = self.spot(node.node.lineno, function)
            first = node.args[0] if node.args else None
            text = first.value if isinstance(first, nodes.Const) else None
            spread = node.kwargs or node.dyn_args or node.dyn_kwargs
            self.called.append(
                Called(
                    function,
                    -1 if spread else len(node.args),
                    text if isinstance(text, str) else None,
                    at,
                    max(self.source.find(str(text), at), at),
                )
            )
            self.named.append(Named(function, (), at, False))
        elif not function:
            self.visit(node.node, own, printed=printed)
        for child in node.iter_child_nodes(exclude=("node",)):
            self.visit(child, own, printed=printed and not function)

    def define(self, target: nodes.Node, own: dict[str, str], over: str = "") -> None:
        if isinstance(target, nodes.Name):
            own[target.name] = over
        elif isinstance(target, nodes.Tuple):
            for item in target.items:
                self.define(item, own)

    def spot(self, line: int, name: str) -> int:
        """The next place on or after that line where the code says this name."""
        start = max(line_start(self.source, line), self.spots.get((line, name), 0))
        last = name.rpartition(".")[2]
        wanted = rf"(?<![\w.]){re.escape(name)}(?!\w)"
        found = re.compile(wanted).search(self.code, start)
        if found is None and last != name:  # interview["starts_at"], interview . starts_at
            found = re.compile(rf"(?<![\w.]){re.escape(name.partition('.')[0])}(?!\w)").search(
                self.code, start
            )
        if found is None:
            return tag_offset(self.source, line)
        self.spots[line, name] = found.end()
        return found.start()


def _called_for(node: nodes.Node) -> str:
    """`content()`, where a value is what that function gives; nothing of any other."""
    called = node.node if isinstance(node, nodes.Call) else None
    return "content()" if isinstance(called, nodes.Name) and called.name == "content" else ""


def _chain(node: nodes.Node) -> tuple[str, tuple[str, ...], int] | None:
    """`interview.starts_at.hour` as its name, its fields and its line."""
    attrs: list[str] = []
    while True:
        match node:
            case nodes.Getattr():
                attrs.append(node.attr)
                node = node.node
            case nodes.Getitem(arg=nodes.Const(value=str() as key)):
                attrs.append(key)
                node = node.node
            case nodes.Name():
                return node.name, tuple(reversed(attrs)), node.lineno
            case _:
                return None
