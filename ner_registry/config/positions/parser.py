"""Tokens to the tree: a recursive descent, one method per form of the grammar."""

from __future__ import annotations

from ner_registry.config.positions.cursor import Cursor
from ner_registry.config.positions.lexer import COLONS
from ner_registry.config.positions.syntax import (
    Argument,
    Array,
    Bind,
    Call,
    Field,
    Function,
    If,
    Import,
    Index,
    Local,
    Name,
    Node,
    Object,
    Operation,
    Repeat,
    Scalar,
    Sum,
)

_LEVELS = ["||", "&&", "|", "^", "&", "== !=", "< > <= >= in", "<< >>", "+ -", "* / %"]
_LEVEL = {operator: n for n, row in enumerate(_LEVELS) for operator in row.split()}


class Parser(Cursor):
    """Reads tokens once."""

    def parse(self) -> Node:
        """The whole text as one expression.

        Raises:
            JsonnetSyntaxError: it isn't one.
            RecursionError: it is nested too deep for us.
        """
        root = self._expression()
        if self._token.kind != "end":
            raise self._unexpected()
        return root

    def _expression(self, level: int = 0) -> Node:
        left = self._operand()
        while self._token.kind in ("operator", "name"):
            operator = self._token.text
            if _LEVEL.get(operator, -1) < level:
                break
            self._take()
            right = self._expression(_LEVEL[operator] + 1)
            left = _sum(left, right) if operator == "+" else Operation([left, right], keeps=False)
        return left

    def _operand(self) -> Node:
        if self._token.kind == "operator" and self._accept("+", "-", "!", "~"):
            return Operation([self._operand()], keeps=False)
        node = self._primary()
        while True:
            if self._accept("."):
                node = Index(node, self._take("name").text)
            elif self._sees("{"):
                node = _sum(node, self._object())
            elif self._accept("["):
                node = self._brackets(node)
            elif self._accept("("):
                node = Call(node, self._separated(")", self._argument))
                self._accept("tailstrict")
            else:
                return node

    def _primary(self) -> Node:
        if self._sees("{"):
            return self._object()
        token = self._take()
        if token.kind in ("string", "number"):
            return Scalar(token.text)
        match token.text:
            case "(":
                node = self._expression()
                self._expect(")")
                return node
            case "[":
                return self._array()
            case "true" | "false" | "null":
                return Scalar(None)
            case "local" | "assert":
                self._next -= 1
                return self._statements()
            case "if":
                return self._if()
            case "function":
                self._expect("(")
                return Function(self._separated(")", self._parameter), self._expression())
            case "error":
                return Operation([self._expression()], keeps=False)
            case "import":
                return Import(self._take("string").text)
            case "importstr" | "importbin":
                self._take("string")
                return Operation([], keeps=token.text == "importbin")
        if token.kind == "name" or token.text == "$":
            return Name(token.text)
        self._next -= 1
        raise self._unexpected()

    def _statements(self) -> Node:
        """``local …;`` and ``assert …;`` one after the other: a loop, for there can be many."""
        groups = []
        while self._sees("local", "assert"):
            if self._accept("local"):
                groups.append(self._separated(";", self._bind))
            else:
                self._accept("assert")
                groups.append([Bind(self._token.at, "", check) for check in self._assert()])
                self._expect(";")
        body = self._expression()
        for group in reversed(groups):
            body = Local(group, body)
        return body

    def _bind(self) -> Bind:
        name = self._take("name")
        if self._accept("("):
            parameters = self._separated(")", self._parameter)
            self._expect("=")
            return Bind(name.at, name.text, Function(parameters, self._expression()))
        self._expect("=")
        return Bind(name.at, name.text, self._expression())

    def _parameter(self) -> Bind:
        name = self._take("name")
        return Bind(name.at, name.text, self._expression() if self._accept("=") else None)

    def _argument(self) -> Argument:
        at, name = self._token.at, None
        after = self._tokens[self._next + 1 : self._next + 2]
        if self._token.kind == "name" and after and after[0][:2] == ("operator", "="):
            name = self._take().text
            self._take()
        return Argument(at, name, self._expression())

    def _assert(self) -> list[Node]:
        checks = [self._expression()]
        if self._accept(":"):
            checks.append(self._expression())
        return checks

    def _if(self) -> Node:
        condition = self._expression()
        self._expect("then")
        yes = self._expression()
        return If(condition, yes, self._expression() if self._accept("else") else Scalar(None))

    def _brackets(self, target: Node) -> Node:
        """``target[…]``: an index, or a slice."""
        parts = []
        colons = False
        while not self._accept("]"):
            if self._accept(":", "::"):
                colons = True
            else:
                parts.append(self._expression())
        index = parts[0] if len(parts) == 1 and not colons else None
        if isinstance(index, Scalar) and index.text is not None:
            return Index(target, index.text)
        return Operation([target, *parts], keeps=True)

    def _array(self) -> Node:
        items = []
        while not self._accept("]"):
            items.append(Argument(self._token.at, None, self._expression()))
            comma = self._accept(",")
            if len(items) == 1 and self._sees("for"):
                return self._loops("]", Repeat(items[0]))
            if not comma and not self._sees("]"):
                raise self._unexpected()
        return Array(items)

    def _loops(self, end: str, body: Node) -> Node:
        """``for x in xs if condition … end``, as locals around what is repeated."""
        binds = []
        while not self._accept(end):
            at = self._token.at
            if self._accept("for"):
                name = self._take("name").text
                self._expect("in")
                binds.append(Bind(at, name, Operation([self._expression()], keeps=True)))
            else:
                self._expect("if")
                binds.append(Bind(at, "", self._expression()))
        for bind in reversed(binds):
            body = Local([bind], body)
        return body

    def _object(self) -> Node:
        node = Object(self._token.at, {}, [], [], [])
        self._expect("{")
        while not self._accept("}"):
            if self._accept("local"):
                node.binds.append(self._bind())
            elif self._accept("assert"):
                node.asserts.extend(self._assert())
            elif self._sees("for") and node.computed:
                return self._loops("}", node)
            else:
                field = self._field()
                if isinstance(field.key, str):
                    node.fields[field.key] = field
                else:
                    node.computed.append(field)
            if not self._sees("}", "for"):
                self._expect(",")
        return node

    def _field(self) -> Field:
        at = self._token.at
        key: Node | str
        if self._accept("["):
            key = self._expression()
            self._expect("]")
            if isinstance(key, Scalar) and key.text is not None:
                key = key.text
        elif self._token.kind in ("name", "string"):
            key = self._take().text
        else:
            raise self._unexpected()
        method = self._accept("(")
        parameters = self._separated(")", self._parameter) if method else []
        colon = self._take("operator").text
        if colon not in COLONS:
            raise self._unexpected()
        value = self._expression()
        if method:
            value = Function(parameters, value)
        elif colon[0] == "+" and isinstance(key, str):
            value = Sum([Index(Name("super"), key), value])
        return Field(at, key, value)


def _sum(left: Node, right: Node) -> Sum:
    """One flat list, so that a long chain of ``+`` isn't a deep tree."""
    if not isinstance(left, Sum):
        return Sum([left, right])
    left.parts.append(right)  # nothing else holds it yet
    return left
