"""Which attributes say what a person is rather than what a customer did, so that rules do not go by them.

Knows nothing of rules. Behaviour is what a customer bought, viewed, sent back, asked and agreed to.
"""

PROTECTED: dict[str, tuple[str, ...]] = {
    "age": ("age", "ages", "age_group", "birthday", "birth_date", "birthdate", "birth_year", "date_of_birth", "dob", "born", "generation"),
    "gender": ("gender", "sex", "male", "female", "pronouns", "transgender", "salutation", "mr", "mrs"),
    "origin": ("ethnicity", "ethnic", "race", "nationality", "citizenship", "origin", "birthplace", "place_of_birth", "skin", "migrant"),
    "religion": ("religion", "religious", "faith", "belief", "creed"),
    "health": ("health", "disability", "disabled", "illness", "medical", "diagnosis", "genetic", "biometric", "pregnancy", "pregnant"),
    "sexual orientation": ("orientation", "sexual_orientation", "sexuality"),
    "political opinion": ("politics", "political", "political_party"),
    "union membership": ("union", "trade_union", "union_member"),
    "family": ("marital_status", "marital", "married", "divorced", "children", "family_status", "household_size"),
    "means": ("income", "salary", "wage", "wealth", "credit_score", "occupation", "profession", "job_title", "education"),
    "place": ("country", "city", "region", "postcode", "postal_code", "zip", "zip_code", "address", "neighbourhood", "latitude"),
    "name": ("name", "first_name", "last_name", "surname", "full_name", "given_name", "family_name"),
    "criminal record": ("criminal", "conviction", "convictions"),
}
"""Kind of attribute to the names it goes by. A person's name and place say origin, religion and means."""

_KIND = {name: kind for kind, names in PROTECTED.items() for name in names}


def protected_kind(name: str) -> str | None:
    """The kind of protected attribute that a name means, if any.

    >>> protected_kind("Customer_Age"), protected_kind("country"), protected_kind("orders")
    ('age', 'place', None)
    """
    lower = name.lower()
    return _KIND.get(lower) or next((_KIND[word] for word in lower.split("_") if word in _KIND and word != "name"), None)


def protected_words(name: str) -> str | None:
    """What a rule that names a protected attribute is told; None where the name means none.

    >>> protected_words("country"), protected_words("gender"), protected_words("orders")
    ("'country' is a protected attribute (place)", "'gender' is a protected attribute", None)
    """
    kind = protected_kind(name)
    return kind and f"'{name}' is a protected attribute" + (f" ({kind})" if kind != name.lower() else "")
