"""What a text message that came in changes: one wish, one answer, however often it is delivered.

Knows nothing of providers and their requests.
"""

from datetime import datetime

from django.db import transaction

from rekindle.respond.keywords import Wish, answer, wish
from rekindle.service.channels.sms.models import Received
from rekindle.service.people.actions import opt_out_number
from rekindle.settings import Settings

SOURCE = "sms"


def receive(settings: Settings, name: str, number: str, text: str, at: datetime) -> str:
    """Takes one message in.

    Args:
        settings: The store's.
        name: The provider's id of the message.
        number: Who wrote, as E.164.
        text: What.
        at: The instant, aware.

    Returns:
        The answer; empty where there is none. A second STOP is news to nobody and gets none; the same message gets the same one.
    """
    with transaction.atomic():
        row, new = Received.objects.get_or_create(pk=name, defaults={"received_at": at})
        if not new:
            return row.answer
        asked = wish(text)
        if asked is not Wish.STOP or opt_out_number(number, at, SOURCE):
            contact = settings.sender.reply_to or settings.sender.email
            row.answer = answer(asked, settings.locale, settings.name, contact, settings.brand.url)
            row.save()
        return row.answer
