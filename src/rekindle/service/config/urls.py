"""Every address that a store answers at.

Knows nothing of what stands there.
"""

from django.urls import URLPattern, URLResolver, include, path

from rekindle.respond.questions import RATE, REVIEW, WHY
from rekindle.service.api.v1 import api
from rekindle.service.channels.provider import tracking
from rekindle.service.channels.sms import inbound
from rekindle.service.console import overview
from rekindle.service.privacy import shopify
from rekindle.service.public import (
    clicks,
    confirming,
    entering,
    known,
    landing,
    messages,
    own_data,
    preferences,
    questions,
    stopping,
    styles,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", api.urls),  # what is asked most stands first: Django tries one after another
    path("assets/public.css", styles.shipped),
    path("assets/brand.css", styles.brand),
    path("c/<str:token>", clicks.follow),
    path("u/<str:token>", stopping.stop),
    path("preferences/<str:token>", preferences.choose),
    path("enter/<str:token>", entering.enter),
    path("for/<str:token>", landing.land),
    path("confirm/<str:token>", confirming.answer),
    path("known/<str:token>", known.show),
    path("view/<str:token>", messages.view),
    path("why/<str:token>", messages.why),
    path("answer/<str:token>", questions.ask, {"question": WHY}),
    path("rate/<str:token>", questions.ask, {"question": RATE}),
    path("review/<str:token>", questions.ask, {"question": REVIEW}),
    path(tracking.PATH, tracking.told),
    path(shopify.PATH, shopify.told),
    path("data/<str:token>", own_data.choose),
    path(inbound.PATH, inbound.inbound),
    path("console/", include("rekindle.service.console.urls")),
    path("console", overview.first),
    path("", overview.first),
]

handler404 = "rekindle.service.public.answers.not_ours"
