"""Errors carry a cause, a remedy and the exit code of the command line."""

import pytest

from rekindle import errors

EXIT_CODES = {
    errors.RekindleError: 1,
    errors.UsageError: 2,
    errors.BadData: 3,
    errors.Refused: 4,
    errors.StoreUnavailable: 1,
    errors.DeliveryError: 1,
    errors.TemporaryFailure: 1,
    errors.LookAgain: 1,
    errors.PermanentFailure: 1,
    errors.OutcomeUnknown: 1,
}


@pytest.mark.parametrize(("kind", "code"), EXIT_CODES.items())
def test_every_error_has_its_exit_code_and_says_what_to_do(kind: type[errors.RekindleError], code: int) -> None:
    error = kind("the file is empty", "Export it again.")
    assert (error.exit_code, error.cause, error.remedy) == (code, "the file is empty", "Export it again.")
    assert str(error) == "the file is empty. Export it again."


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    defined = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert defined == set(EXIT_CODES)
    assert [kind.__name__ for kind in defined if f" {kind.__name__} " not in (errors.__doc__ or "")] == []


def test_cannot_tell_is_a_value_with_a_reason() -> None:
    assert errors.CannotTell("two orders in a year") == errors.CannotTell(reason="two orders in a year")
    assert not isinstance(errors.CannotTell("x"), Exception)
