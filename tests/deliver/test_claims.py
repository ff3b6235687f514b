"""What a shop may claim: with evidence, for a time, for whom it is true, and of measurements never without when and of what."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from rekindle.deliver.claims import REGISTERED, Claim, Registry
from rekindle.deliver.facts import Facts, with_frozen, with_registered

DAY = date(2026, 12, 1)
FIX = {"text": "Parcels leave the same day.", "cause": "late_delivery", "evidence": "dispatch log"}
PROOF = {
    "text": "4.6 of 5 stars.", "sample": "212 reviews", "measured_on": "2026-11-03", "evidence": "reviews page", "incentive": "none",
}  # fmt: skip


def shop(**claims: object) -> Registry:
    return Registry.model_validate(claims)


def test_one_text_a_table_and_a_list_say_the_same() -> None:
    assert shop(care="Keep it dry.") == shop(care={"text": "Keep it dry."}) == shop(care=["Keep it dry."])
    assert shop(care="", guarantee=None, benefit=[], support={}) == Registry()


@pytest.mark.parametrize(("cause", "said"), [("late_delivery", "Parcels leave the same day."), ("return", ""), (None, "")])
def test_a_fix_is_stated_for_its_cause_alone(cause: str | None, said: str) -> None:
    assert shop(fix=FIX).stated(DAY, cause, None).get("fix", "") == said


def test_of_several_fixes_each_goes_to_whom_it_concerns() -> None:
    every = shop(fix=[FIX, {"text": "Labels are in the parcel.", "cause": "return", "evidence": "packing list"}])
    assert every.stated(DAY, "return", None)["fix"] == "Labels are in the parcel."


@pytest.mark.parametrize(
    ("day", "holds"),
    [(date(2026, 11, 30), False), (date(2026, 12, 1), True), (date(2026, 12, 24), True), (date(2026, 12, 25), False)],
)
def test_a_claim_is_stated_from_its_first_day_to_its_last(day: date, holds: bool) -> None:
    claims = shop(delivery_promise={"text": "Before the holidays.", "from": "2026-12-01", "until": "2026-12-24"})
    assert ("delivery_promise" in claims.stated(day, None, None)) == holds


def test_a_claim_about_a_category_goes_to_who_buys_there() -> None:
    care = [{"text": "Cool and dark.", "categories": ["Coffee", "Tea"]}, "Keep it dry."]
    claims = shop(care=care, social_proof=PROOF | {"categories": ["Tea"]})
    assert claims.stated(DAY, None, "Tea")["care"] == "Cool and dark."
    assert claims.stated(DAY, None, "Garden") == {"care": "Keep it dry."}
    assert claims.stated(DAY, None, None) == {"care": "Keep it dry."}


@pytest.mark.parametrize(
    ("incentive", "beside"),
    [("none", "nothing was given for them"), ("5 euros of credit", "given for them: 5 euros of credit")],
)
def test_what_customers_say_is_stated_with_its_sample_its_month_and_what_was_given(incentive: str, beside: str) -> None:
    stated = shop(social_proof=PROOF | {"incentive": incentive}).stated(DAY, None, None)
    assert stated == {"social_proof": f"4.6 of 5 stars. (212 reviews, November 2026; {beside})"}


MEASUREMENTS = [
    "9 of 10 parcels come the next day.", "98 % are happy.", "98% are happy.", "4.6 stars.", "3 times faster.", "Two days on average.",
]  # fmt: skip
PROMISES = ["30 days, with a label.", "Two years on everything.", "From 8 to 18, on 0117 496 0000.", "Free from EUR 30."]


@pytest.mark.parametrize("text", MEASUREMENTS)
@pytest.mark.parametrize("lacking", ["sample", "measured_on", "evidence"])
def test_a_measurement_needs_its_sample_its_day_and_its_evidence(text: str, lacking: str) -> None:
    whole: dict[str, Any] = {"text": text, "sample": "4,000 parcels", "measured_on": "2026-11-03", "evidence": "report"}
    assert Claim.model_validate(whole).said == f"{text} (4,000 parcels, November 2026)"
    with pytest.raises(ValidationError, match="is a measurement, and its sample, its day or its evidence is missing"):
        Claim.model_validate({name: value for name, value in whole.items() if name != lacking})


@pytest.mark.parametrize("text", PROMISES)
def test_a_number_that_is_a_promise_is_no_measurement(text: str) -> None:
    assert Claim(text=text).said == text


@pytest.mark.parametrize(
    ("claims", "rule"),
    [
        ({"fix": "Parcels leave the same day."}, "fix-unproven"),
        ({"fix": {"text": "Parcels leave the same day.", "cause": "late_delivery"}}, "fix-unproven"),
        ({"social_proof": "People like it."}, "proof-undisclosed"),
        ({"social_proof": {name: value for name, value in PROOF.items() if name != "incentive"}}, "proof-undisclosed"),
        ({"guarantee": {"text": "Two years.", "from": "2026-12-02", "until": "2026-12-01"}}, "claim-days"),
        ({"guarantee": {"text": "Two years.", "cause": "the weather"}}, "literal_error"),
        ({"guarentee": "Two years."}, "extra_forbidden"),
    ],
)
def test_a_claim_that_nobody_could_stand_up_for_is_refused(claims: dict[str, object], rule: str) -> None:
    with pytest.raises(ValidationError) as refused:
        shop(**claims)
    assert refused.value.errors()[0]["type"] == rule


def test_what_is_stated_is_chosen_when_the_customer_is_known() -> None:
    facts = with_registered(Facts(stage="reconnect"), shop(fix=FIX, care="Keep it dry.", benefit="Your sizes are on file."))
    assert {name: getattr(facts, name) for name in REGISTERED} == dict.fromkeys(REGISTERED, "")
    stated = with_frozen(facts, '{"cause": "late_delivery"}', DAY)
    assert (stated.fix, stated.care, stated.benefit) == ("Parcels leave the same day.", "Keep it dry.", "Your sizes are on file.")
    assert with_frozen(facts, '{"cause": "return"}', DAY).fix == ""
