"""Every address that a store answers at.

Knows nothing of what stands there.
"""

from django.urls import URLPattern, URLResolver, path

from rekindle.service.public import clicks, stopping, styles

urlpatterns: list[URLPattern | URLResolver] = [
    path("assets/public.css", styles.shipped),
    path("assets/brand.css", styles.brand),
    path("c/<str:token>", clicks.follow),
    path("u/<str:token>", stopping.stop),
]

handler404 = "rekindle.service.public.answers.not_ours"
