"""What does a letter say of its reader that is the same wherever it stands? It is asked for once.

`{{ candidate.first_name }}` and `{{ interview.starts_at | day }}` read the same in every place of
one letter. Each such expression has a token of its own, known when the template is compiled, so it
and the words around it are one constant text; the value is worked out before the first of them is
written, and where no branch that is taken says it, it is never asked for.
"""

from typing import Any

from jinja2 import nodes
from jinja2.compiler import Frame

from nurture.rendering.sandbox import RunContext, SandboxedCode
from nurture.rendering.slots import REPEATED_MAX, TOKENS

#: What gives the same for the same words: no calls, which may count, ask the time or make markup.
_STEADY = (
    *(nodes.Name, nodes.Getattr, nodes.Const, nodes.Filter, nodes.CondExpr),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Test),
)


class LetterContext(RunContext):
    """`said` has a bit for each repeated value that this run has worked out."""

    said = 0


class LetterCode(SandboxedCode):
    """`{{ x }}` as one call where it has to be asked for each time (Jinja's own escapes what
    `finalize` gave, which is a token), and as a token in the text around it where it has not."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        self._bound = _bound(node)
        self._numbers: dict[str, int] = {}  # by expression
        super().visit_Template(node, frame)

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        asked: dict[int, nodes.Expr] = {}
        written: list[nodes.Expr] = []
        for each in node.nodes:
            number = self._number(each)
            if number is None:
                written.append(each)
            else:
                asked.setdefault(number, each)
                written.append(nodes.TemplateData(TOKENS[number], lineno=each.lineno))
        if asked:
            self._ask(asked, frame)
        super().visit_Output(nodes.Output(written, lineno=node.lineno), frame)

    def _ask(self, asked: dict[int, nodes.Expr], frame: Frame) -> None:
        """Those of them that were not said yet; mostly all were, which one look tells."""
        self.writeline(f"if ~context.said & {sum(1 << number for number in asked)}:")
        self.indent()
        for number, expression in asked.items():
            self.writeline(f"if not context.said & {1 << number}:", expression)
            self.indent()
            self.writeline(f"environment.said(context, {number}, ", expression)
            self.visit(expression, frame)
            self.write(")")
            self.outdent()
        self.outdent()

    def _number(self, node: nodes.Expr) -> int | None:
        if not self.environment.repeats or not self._is_steady(node):  # type: ignore[attr-defined]
            return None
        number = self._numbers.setdefault(repr(node), len(self._numbers))
        return number if number < REPEATED_MAX else None

    def _is_steady(self, node: nodes.Node) -> bool:
        if not isinstance(node, _STEADY) or getattr(node, "name", None) in self._bound:
            return False
        return all(map(self._is_steady, node.iter_child_nodes()))

    def _output_child_pre(self, *_: Any) -> None:
        self.write("environment.printed(context, ")

    def _output_child_post(self, *_: Any) -> None:
        self.write(")")


def _bound(tree: nodes.Template) -> frozenset[str]:
    """Names that the template gives a meaning of its own: of loops, macros and `{% set %}`."""
    stored = {each.name for each in tree.find_all(nodes.Name) if each.ctx != "load"}
    named = {each.name for each in tree.find_all(nodes.Macro)}
    return frozenset(stored | named | {"loop", "caller", "varargs", "kwargs"})
