"""What machines do with e-mails before a person sees them: privacy proxies open them, scanners follow their links.

Knows nothing of orders: no machine ever places one, nor looks at a product on the shop's side.
"""

import numpy as np
import pyarrow as pa

from rekindle.simulate import habits
from rekindle.simulate.chance import Chance, Flags, Ints
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.touches import Touches

_PROXY, _SCANNER, _PERSON = 60, 20, 3_540
"""Seconds from the mail to what a proxy, a scanner and a person do with it."""


def of_mails(parameters: Parameters, size: int, touches: Touches, by_mail: Flags, chance: Chance) -> tuple[Flags, Flags]:
    """Which touches a proxy opens and of which a scanner follows the link: always those to the same mailboxes.

    Args:
        parameters: The marketplace's.
        size: Number of customers.
        touches: The touches.
        by_mail: Which of them are e-mails.
        chance: The world's.
    """
    proxied = chance.stream("machine-opens").random(size) < parameters.machine_openers
    scanned = chance.stream("machine-clicks").random(size) < parameters.machine_clickers
    return proxied[touches.customer] & by_mail, scanned[touches.customer] & by_mail


def events(touches: Touches, product: Ints, opened: Flags, by_proxy: Flags, scanned: Flags) -> pa.Table:
    """Opened e-mails and machines' clicks as events; a shop cannot tell a scanner's click from a person's but by what follows.

    Args:
        touches: The touches.
        product: What each customer bought last.
        opened: Whether anybody opened the e-mail.
        by_proxy: Whether a proxy did, at once.
        scanned: Whether a scanner followed the link.
    """
    opens, clicks = np.flatnonzero(opened), np.flatnonzero(scanned)
    seen = np.concatenate((opens, clicks))
    after = np.concatenate((np.where(by_proxy[opens], _PROXY, _PERSON), np.full(clicks.size, _SCANNER)))
    return pa.table(
        {
            "event": np.concatenate((habits.OPENED + opens, habits.SCANNED + clicks)),
            "customer": touches.customer[seen],
            "name": pa.array(("Email Opened", "Email Link Clicked")).take(np.repeat((0, 1), (opens.size, clicks.size))),
            "occurred_at": touches.felt[seen] + after,
            "product": product[seen],
            "value": pa.nulls(seen.size, pa.string()),
        }
    )
