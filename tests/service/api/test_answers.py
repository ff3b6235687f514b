"""Answers are listed whatever they say, with what was written beside them."""

from rekindle.respond.questions import RATE, REVIEW
from rekindle.service.outbox.models import Touch
from rekindle.service.trust.actions import Given, answer
from tests.service.api.asking import NOW, Ask, meet


def give(customer: str, question: str, value: str, text: str = "", number: int = 1) -> None:
    answer(Touch(pk=number, customer_id=customer), "M7", Given(question, value, text, NOW))


def test_good_and_bad_are_listed_alike_with_their_words(ask: Ask) -> None:
    meet("c1", "c2")
    give("c1", REVIEW, "1", "Broke <b>at once</b>", 1)
    give("c2", REVIEW, "5", "Lovely", 2)
    give("c2", RATE, "9", number=2)
    status, said = ask("GET", "/answers?question=review")
    assert status == 200
    told = [(one["customer"], one["value"], one["text"], one["order"]) for one in said["items"]]
    assert told == [("x-c1", "1", "Broke <b>at once</b>", "M7"), ("x-c2", "5", "Lovely", "M7")]
    assert said["next"] is None


def test_long_lists_come_in_pages(ask: Ask) -> None:
    for number in range(1, 4):
        give("c1", RATE, str(number), number=number)
    first = ask("GET", "/answers?question=rate&limit=2")[1]
    second = ask("GET", f"/answers?question=rate&limit=2&after={first['next']}")[1]
    assert [one["value"] for one in (*first["items"], *second["items"])] == ["1", "2", "3"]
    assert second["next"] is None


def test_there_are_three_questions(ask: Ask) -> None:
    assert ask("GET", "/answers?question=other")[0] == 422
