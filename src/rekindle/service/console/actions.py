"""What changes who may use the console, and what is kept of what they did; one business verb is one transaction.

Knows nothing of pages. Of a link that lets a password be chosen only a digest is kept.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction

from rekindle.errors import BadData, Refused
from rekindle.service.console.models import Deed, Invitation, Operator, Remembered
from rekindle.service.console.roles import Role

GOOD_FOR = timedelta(hours=24)
"""How long a link is good for; it is spent by the first use."""

FIRST_YES, BROUGHT = "first yes to a plan", "brought a file"


@transaction.atomic
def invite(email: str, role: Role, privacy: bool, by: str, at: datetime) -> str:
    """Adds an operator, who chooses a password by the link whose token this gives.

    Raises:
        BadData: Somebody has that address, or a viewer would see personal data.
    """
    _sensible(role, privacy)
    email = email.strip().lower()
    if Operator.objects.filter(email=email).exists():
        raise BadData(f"{email} is an operator already", "Change the role there, or make a new link.")
    one = Operator(email=email, role=role, privacy=privacy, added_at=at)
    one.set_unusable_password()
    one.save()
    note_deed(by, "added an operator", f"{email}, {role.name.lower()}{', personal data' if privacy else ''}", at)
    return _token(one, at)


@transaction.atomic
def new_link(email: str, by: str, at: datetime) -> str:
    """A link by which an operator chooses another password; the second factor stays as it is.

    Raises:
        BadData: There is no such operator.
    """
    one = _named(email)
    note_deed(by, "made a link for a password", one.email, at)
    return _token(one, at)


@transaction.atomic
def first_link(at: datetime) -> str | None:
    """A link by which the first operator, an admin, names an address and chooses a password; None where there is one already.

    Links of earlier starts end.
    """
    if Operator.objects.exists():
        return None
    Invitation.objects.filter(operator=None).delete()
    return _token(None, at)


@transaction.atomic
def choose_password(token: str, email: str, password: str, at: datetime) -> Operator:
    """Spends a link.

    Args:
        token: The link's.
        email: The first operator's address; of no other link.
        password: The new one, validated.
        at: Now.

    Raises:
        Refused: The link was spent, is too old, or never was.
    """
    if not Invitation.objects.filter(digest=_digest(token), spent_at=None, expires_at__gt=at).update(spent_at=at):
        raise Refused("this link is spent or too old", "Ask an admin for a new one, or make one with: rekindle operators link EMAIL")
    one = Invitation.objects.get(digest=_digest(token)).operator
    if one is None:
        if Operator.objects.exists():
            raise Refused("there is a first operator already", "Ask them to invite you.")
        one = Operator(email=email.strip().lower(), role=Role.ADMIN, privacy=True, added_at=at)
        note_deed(one.email, "became the first operator", "", at)
    one.set_password(password)
    one.save()
    note_deed(one.email, "chose a password", "", at)
    return one


@transaction.atomic
def change(email: str, role: Role, privacy: bool, by: str, at: datetime, keep: str = "") -> None:
    """Gives an operator another role, or gives or takes the right to personal data; with more of either their sessions end.

    Args:
        email: Whose.
        role: The new role.
        privacy: Whether they may see personal data.
        by: Who changes it.
        at: Now.
        keep: The key of the session in which it is changed, which stays.

    Raises:
        BadData: There is no such operator, or a viewer would see personal data.
        Refused: Nobody would be an admin any more.
    """
    _sensible(role, privacy)
    one = _named(email)
    if role < Role.ADMIN:
        _not_the_last_admin(one)
    if role > one.role or privacy > one.privacy:
        end_sessions(one, keep)
    one.role, one.privacy = role, privacy
    one.save(update_fields=["role", "privacy"])
    note_deed(by, "changed an operator", f"{one.email}, {role.name.lower()}{', personal data' if privacy else ''}", at)


@transaction.atomic
def remove(email: str, by: str, at: datetime) -> None:
    """Lets an operator in no more; what they did stays on record.

    Raises:
        BadData: There is no such operator.
        Refused: Nobody would be an admin any more.
    """
    one = _named(email)
    _not_the_last_admin(one)
    note_deed(by, "removed an operator", one.email, at)
    one.delete()


@transaction.atomic
def end_sessions(operator: Operator, keep: str = "") -> None:
    """Ends an operator's sessions.

    Args:
        operator: Whose.
        keep: The key of the one that stays; empty: none does.
    """
    for session in Session.objects.exclude(pk=keep):
        if session.get_decoded().get(SESSION_KEY) == str(operator.pk):
            session.delete()


@transaction.atomic
def say_yes(plan: str, by: str, at: datetime) -> bool:
    """Notes a person's yes to a plan that takes two; whether another person has said it before."""
    before = Deed.objects.filter(what=FIRST_YES, about=plan).exclude(by=by).exists()
    if not before:
        note_deed(by, FIRST_YES, plan, at)
    return before


@transaction.atomic
def forget_what_ended(at: datetime) -> None:
    """Removes sessions and links that nobody can use any more, and attempts that count no more."""
    Session.objects.filter(expire_date__lt=at).delete()
    Invitation.objects.filter(expires_at__lt=at).delete()
    Remembered.objects.filter(expires__lt=at).delete()


def note_deed(by: str, what: str, about: str, at: datetime) -> None:
    """Keeps what an operator did; every export of data is noted so."""
    Deed.objects.create(by=by, what=what, about=about, at=at)


def _token(operator: Operator | None, at: datetime) -> str:
    token = secrets.token_urlsafe(32)
    if operator:
        Invitation.objects.filter(operator=operator, spent_at=None).delete()
    Invitation.objects.create(digest=_digest(token), operator=operator, made_at=at, expires_at=at + GOOD_FOR)
    return token


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _named(email: str) -> Operator:
    one = Operator.objects.filter(email=email.strip().lower()).first()
    if one is None:
        raise BadData(f"there is no operator {email}", "See who is: rekindle operators list")
    return one


def _sensible(role: Role, privacy: bool) -> None:
    if privacy and role < Role.EDITOR:
        raise BadData("a viewer never sees personal data", "Give the role editor or more with it.")


def _not_the_last_admin(one: Operator) -> None:
    if one.role == Role.ADMIN and not Operator.objects.filter(role=Role.ADMIN).exclude(pk=one.pk).exists():
        raise Refused(f"{one.email} is the last admin", "Make somebody else an admin first.")
