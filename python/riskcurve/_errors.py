"""What goes wrong, and what is doubtful."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input, in one line: which field, its value, what was expected.

    `field` is its dotted name, as problem files have it ("optimizer.batch"), `value` the value as it
    was given, `expected` what it should be ("a whole number >= 1"). All three are empty where the line
    has another form.
    """

    def __init__(self, line: str, field: str = "", value: str = "", expected: str = "") -> None:
        super().__init__(line)
        self.field = field
        self.value = value
        self.expected = expected

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        return type(self), (str(self), self.field, self.value, self.expected)


def bad(field: str, value: object, expected: str) -> InputError:
    """An InputError worded as those of the library."""
    text = value if isinstance(value, str) else repr(value)
    return InputError(f"{field} = {text}: expected {expected}", field, text, expected)


class Failure(RuntimeError):
    """Work that could not be finished on good input."""


class TrustWarning(UserWarning):
    """A doubt about a prediction: an approximation made, or a number outside the range where the limit of
    high dimension can be trusted (docs/theory/trust.md)."""
