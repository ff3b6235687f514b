"""Reports by mail as the servers of the world write them; the names in them are made up."""

from base64 import b64encode

TOKEN = "fzxw5ov2s6anth2ntglf63rrxi"  # noqa: S105  no secret: it stands in every message
ID = f"{TOKEN}@shop.example"


def mail(text: str) -> bytes:
    """A message as it goes over the wire."""
    return text.lstrip("\n").replace("\n", "\r\n").encode()


POSTFIX = mail(f"""
Return-Path: <>
Received: by mx.people.example (Postfix) id 4XyZ1; Thu, 26 Nov 2026 10:00:05 +0100 (CET)
Date: Thu, 26 Nov 2026 10:00:05 +0100 (CET)
From: MAILER-DAEMON@mx.people.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: hello@shop.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4XyZ0.1764147605/mx.people.example"
Message-Id: <20261126090005.4XyZ1@mx.people.example>

This is a MIME-encapsulated message.

--4XyZ0.1764147605/mx.people.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

<ada@people.example>: host mail.people.example[192.0.2.1] said: 550 5.1.1
    <ada@people.example>: Recipient address rejected (in reply to RCPT TO)

--4XyZ0.1764147605/mx.people.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.people.example
X-Postfix-Queue-ID: 4XyZ0
X-Postfix-Sender: rfc822; hello@shop.example
Arrival-Date: Thu, 26 Nov 2026 10:00:04 +0100 (CET)

Final-Recipient: rfc822; ada@people.example
Original-Recipient: rfc822;ada@people.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.people.example
Diagnostic-Code: smtp; 550 5.1.1 <ada@people.example>: Recipient address
    rejected: User unknown in local recipient table

--4XyZ0.1764147605/mx.people.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: "Marigold" <hello@shop.example>
To: ada@people.example
Subject: Your lantern
Message-ID: <{ID}>

Hello Ada

--4XyZ0.1764147605/mx.people.example--
""")

DELAYED = POSTFIX.replace(b"Action: failed\r\nStatus: 5.1.1", b"Action: delayed\r\nStatus: 4.4.1").replace(b"5.4XyZ1@", b"5.4XyZ2@")

EXIM = mail(f"""
From: Mail Delivery System <Mailer-Daemon@relay.example>
To: hello@shop.example
References: <{ID}>
Content-Type: multipart/report; report-type=delivery-status; boundary=1764147605-eximdsn-1804289383
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1tFabc-0001Ab-Cd@relay.example>
Date: Thu, 26 Nov 2026 09:00:05 +0000

--1764147605-eximdsn-1804289383
Content-type: text/plain; charset=us-ascii

  ada@people.example
    host mx.people.example [192.0.2.1]
    SMTP error from remote mail server after RCPT TO: 550 No such user

--1764147605-eximdsn-1804289383
Content-type: message/delivery-status

Reporting-MTA: dns; relay.example

Action: failed
Final-Recipient: rfc822;ada@people.example
Status: 5.0.0
Remote-MTA: dns; mx.people.example
Diagnostic-Code: smtp; 550 No such user

--1764147605-eximdsn-1804289383
Content-type: text/rfc822-headers

Message-ID: <{ID}>
Subject: Your lantern

--1764147605-eximdsn-1804289383--
""")

EXCHANGE = mail(f"""
From: "Microsoft Outlook" <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@people.example>
To: <hello@shop.example>
Date: Thu, 26 Nov 2026 09:00:05 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="b5e6a1f0-1c2d-4e3f-9a8b-7c6d5e4f3a2b"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-US
Message-ID: <b5e6a1f0@people.example>
In-Reply-To: <{ID}>
References: <{ID}>
Subject: Undeliverable: Your lantern
Auto-Submitted: auto-replied
MIME-Version: 1.0

--b5e6a1f0-1c2d-4e3f-9a8b-7c6d5e4f3a2b
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="0f0e0d0c-1111-2222-3333-444455556666"

--0f0e0d0c-1111-2222-3333-444455556666
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

ada@people.example wasn't found at people.example.

--0f0e0d0c-1111-2222-3333-444455556666--

--b5e6a1f0-1c2d-4e3f-9a8b-7c6d5e4f3a2b
Content-Type: message/delivery-status

Reporting-MTA: dns;PR3PR01MB1234.people.example
Received-From-MTA: dns;mail.shop.example
Arrival-Date: Thu, 26 Nov 2026 09:00:04 +0000

Final-Recipient: rfc822;ada@people.example
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
X-Display-Name: ada

--b5e6a1f0-1c2d-4e3f-9a8b-7c6d5e4f3a2b--
""")

GMAIL = mail(f"""
Delivered-To: hello@shop.example
From: Mail Delivery Subsystem <mailer-daemon@mail.example>
To: hello@shop.example
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
References: <{ID}>
In-Reply-To: <{ID}>
X-Failed-Recipients: ada@people.example
Message-ID: <6745a1b2.050a0220.1.GMR@mail.example>
Date: Thu, 26 Nov 2026 01:00:05 -0800 (PST)
Content-Type: multipart/report; boundary="000000000000a1b2c3"; report-type=delivery-status

--000000000000a1b2c3
Content-Type: multipart/related; boundary="000000000000a1b2c4"

--000000000000a1b2c4
Content-Type: text/plain; charset="UTF-8"

** Address not found **

--000000000000a1b2c4--
--000000000000a1b2c3
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example
Arrival-Date: Thu, 26 Nov 2026 01:00:04 -0800 (PST)
X-Original-Message-ID: <{ID}>

Final-Recipient: rfc822; ada@people.example
Action: failed
Status: 4.4.7
Diagnostic-Code: smtp; The recipient server did not accept our requests to connect.

--000000000000a1b2c3
Content-Type: message/rfc822

Message-ID: <{ID}>
Subject: Your lantern

--000000000000a1b2c3--
""")

_STATUS = f"""Original-Envelope-Id: {TOKEN}+40shop.example

Final-Recipient: rfc822; ada@people.example
Action: Failed (gone)
Status: 5.7.1 (policy)
"""

ENVELOPE_ID = mail("""
From: postmaster@relay.example
To: hello@shop.example
Date: Thu, 26 Nov 2026 09:00:05 +0000
Message-ID: <77@relay.example>
Content-Type: multipart/report; report-type="delivery-status"; boundary="=_x"

--=_x
Content-Type: message/delivery-status
Content-Transfer-Encoding: base64

@@
--=_x--
""").replace(b"@@", b64encode(_STATUS.encode()))

SENDMAIL = mail(f"""
Return-Path: <MAILER-DAEMON>
Date: Thu, 26 Nov 2026 09:00:05 GMT
From: Mail Delivery Subsystem <MAILER-DAEMON@old.people.example>
Message-Id: <202611260900.5QQ9@old.people.example>
To: <hello@shop.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
        boundary="5QQ9.1764147605/old.people.example"
Subject: Returned mail: see transcript for details
Auto-Submitted: auto-generated (failure)

This is a MIME-encapsulated message

--5QQ9.1764147605/old.people.example

The original message was received at Thu, 26 Nov 2026 09:00:04 GMT

   ----- The following addresses had permanent fatal errors -----
<ada@people.example>
    (reason: 550 5.1.1 <ada@people.example>... User unknown)

--5QQ9.1764147605/old.people.example
Content-Type: message/delivery-status

Reporting-MTA: dns; old.people.example
Received-From-MTA: DNS; mail.shop.example
Arrival-Date: Thu, 26 Nov 2026 09:00:04 GMT

Final-Recipient: RFC822; ada@people.example
Action: failed
Status: 5.1.1
Diagnostic-Code: SMTP; 550 5.1.1 <ada@people.example>... User unknown
Last-Attempt-Date: Thu, 26 Nov 2026 09:00:05 GMT

--5QQ9.1764147605/old.people.example
Content-Type: text/rfc822-headers

Return-Path: <hello@shop.example>
Message-ID:
 <{ID}>
Subject: Your lantern

--5QQ9.1764147605/old.people.example--
""")

GLOBAL = mail(f"""
From: postmaster@intl.people.example
To: hello@shop.example
Date: Thu, 26 Nov 2026 09:00:05 +0000
Message-ID: <88@intl.people.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=zz

--zz
Content-Type: message/global-delivery-status
Content-Transfer-Encoding: 8bit

Reporting-MTA: dns; intl.people.example

Original-Recipient: rfc822; ada@people.example
Final-Recipient: utf-8; ädä@people.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 kein Empfänger dieses Namens

--zz
Content-Type: message/global-headers

Message-ID: <{ID}>

--zz--
""")

RETURN_PATH = EXCHANGE.replace(f"In-Reply-To: <{ID}>\r\nReferences: <{ID}>\r\n".encode(), b"").replace(
    b"To: <hello@shop.example>", f"To: <bounces+{TOKEN}@shop.example>".encode()
).replace(b"<b5e6a1f0@", b"<b5e6a1f1@")

RELAYED = POSTFIX.replace(b"Action: failed\r\nStatus: 5.1.1", b"Action: relayed\r\nStatus: 2.1.9")

QMAIL = mail(f"""
From: MAILER-DAEMON@mail.people.example
To: hello@shop.example
Subject: failure notice
Date: 26 Nov 2026 09:00:05 -0000

Hi. This is the qmail-send program at mail.people.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@people.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Message-ID: <{ID}>
Action: failed
Status: 5.1.1
""")

AWAY = mail(f"""
From: ada@people.example
To: hello@shop.example
Subject: Out of office: Action: failed, Status: 5.1.1
In-Reply-To: <{ID}>
Auto-Submitted: auto-replied
Content-Type: text/plain

I am away. 550 5.1.1 user unknown, ha.
""")

ABUSE = mail(f"""
From: <abusedesk@provider.example>
Date: Thu, 26 Nov 2026 09:30:00 +0000
Subject: FW: Your lantern
To: <abuse@shop.example>
Message-ID: <20261126093000.1@provider.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report;
     boundary="part1_13d.2e68ed54_boundary"

--part1_13d.2e68ed54_boundary
Content-Type: text/plain; charset="US-ASCII"
Content-Transfer-Encoding: 7bit

This is an email abuse report for an email message received from IP 192.0.2.1.

--part1_13d.2e68ed54_boundary
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <hello@shop.example>
Original-Rcpt-To: <ada@people.example>
Arrival-Date: Thu, 26 Nov 2026 09:00:00 +0000
Reporting-MTA: dns; mail.provider.example
Source-IP: 192.0.2.1

--part1_13d.2e68ed54_boundary
Content-Type: message/rfc822
Content-Disposition: inline

From: "Marigold" <hello@shop.example>
To: redacted
Subject: Your lantern
Message-ID: <{ID}>

Hello

--part1_13d.2e68ed54_boundary--
""")

NO_SPAM = ABUSE.replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam")
AUTHENTICATION = ABUSE.replace(b"Feedback-Type: abuse", b"Feedback-Type: auth-failure")
LIST_OPT_OUT = ABUSE.replace(b"Feedback-Type: abuse", b"Feedback-Type: opt-out")
