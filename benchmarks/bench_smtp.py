"""How much a domain that goes wrong slows the mail of others: `python benchmarks/bench_smtp.py [WAY...]`.

Fifteen domains answer well and one goes wrong, in one way after the other; forty messages to each, through the whole worker, over SMTP to a
server 60 ms away, so that they wait for it and not for this machine. All waits are those that the product ships. What counts is the time
from the beginning of a run to the server's last answer to those who answer well, beside that of a run without the domain, in turns; the
shortest of each, because other work on the machine only adds.
"""

import json
import math
import ssl
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the hostile server is among the tests

from tests.faults.smtp_server import Scale, SmtpServer

from rekindle.deliver.lanes import Limits
from rekindle.service.channels.smtp.channel import Smtp
from rekindle.service.channels.smtp.pool import Timing
from rekindle.service.channels.smtp.session import Server
from rekindle.service.config import configure, use_ledger
from rekindle.settings import Settings

SLOWED_AT_MOST = 0.05
EACH, TURNS = 40, 2
SLOW_WAYS = ("greylists", "stalls-at-rcpt", "trickles-at-rcpt", "stalls-at-data", "reads-slowly", "stalls-after-the-dot")
"""Those that could keep others waiting; every way of tests/faults/weather.py can be named instead."""

GOOD = [f"good{number}" for number in range(15)]
SCALE = Scale(stall=600.0, tick=1.0, grey=300.0, far=0.060)


def others_took(wrong: str = "") -> float:
    """Seconds until the last message of those who answer well was taken."""
    configure()
    from tests.faults.weather import WRONG, plan
    from tests.service.conftest import NOON

    from rekindle.service.flow.sending import send_due

    fault = WRONG[wrong] if wrong else None
    faults = {f"{wrong}.example": replace(fault, times=None)} if fault else {}
    with tempfile.TemporaryDirectory() as folder:
        sender = {"name": "Marigold", "email": "hello@marigold.example", "postal_address": "12 Garden Row, Bristol"}
        store = Settings(root=Path(folder), name="Marigold", sender=sender)
        (store.root / "var").mkdir()
        use_ledger(store)
        plan([*GOOD[:7], *([wrong] if wrong else []), *GOOD[7:]], EACH)
        with SmtpServer(faults, scale=SCALE) as server:
            where = Server("127.0.0.1", server.port, "none", "shop.example", ssl.create_default_context())
            relay = Smtp(where, Limits(), Timing())
            begun = time.monotonic()
            run = threading.Thread(target=send_due, args=(store, NOON), kwargs={"senders": {"email": relay}, "clock": lambda: NOON})
            run.start()
            while len(ends := answered(server)) < len(GOOD) * EACH and run.is_alive():
                time.sleep(0.05)
            assert len(ends) == len(GOOD) * EACH, "those who answer well are all reached"
            server.closing.set()
            run.join()
    return max(ends) - begun


def answered(server: SmtpServer) -> list[float]:
    """When each message to those who answer well was taken."""
    with server.lock:
        return [end for domain, ends in server.account.finished.items() if domain.startswith("good") for end in ends]


def main() -> None:
    """Prints the measurements as JSON, each run on stderr as it ends; ends with 1 where the others were slowed by more than the limit."""
    ways = ("", *(sys.argv[1:] or SLOW_WAYS))
    took = dict.fromkeys(ways, math.inf)
    for _ in range(TURNS):
        for way in ways:
            took[way] = min(took[way], seconds := others_took(way))
            print(f"{way or 'without'}: {seconds:.2f} s", file=sys.stderr, flush=True)
    slowed = {way: round(took[way] / took[""] - 1, 3) for way in ways[1:]}
    print(json.dumps({"without_s": round(took[""], 2), "slowed": slowed, "slowed_most": max(slowed.values()), "limit": SLOWED_AT_MOST}))
    sys.exit(max(slowed.values()) > SLOWED_AT_MOST)


if __name__ == "__main__":
    main()
